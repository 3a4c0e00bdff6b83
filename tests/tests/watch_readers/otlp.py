"""Decodes what an OTLP exporter sent, by OpenTelemetry's own definitions of the protocol: a folder of bodies, one a file."""
import glob
import json
import sys

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


def attributes(pairs):
    return {pair.key: pair.value.string_value for pair in pairs}


names, logs = set(), []
for file in sorted(glob.glob(sys.argv[1] + "/*.metrics")):
    request = ExportMetricsServiceRequest()
    request.ParseFromString(open(file, "rb").read())
    for resource in request.resource_metrics:
        assert attributes(resource.resource.attributes)["service.name"] == "wss-collector"
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            kind = "sum" if metric.name.endswith("_total") else "gauge"
            assert metric.WhichOneof("data") == kind, metric
            points = getattr(metric, kind).data_points
            assert points and all(point.time_unix_nano > 10**18 for point in points)
            assert all(attributes(point.attributes)["target"].startswith("https://") for point in points)
            names.add(metric.name)
for file in sorted(glob.glob(sys.argv[1] + "/*.logs")):
    request = ExportLogsServiceRequest()
    request.ParseFromString(open(file, "rb").read())
    for resource in request.resource_logs:
        for record in (record for scope in resource.scope_logs for record in scope.log_records):
            told = attributes(record.attributes)
            logs.append([record.event_name, record.severity_text, told.get("wss.status", ""), told.get("wss.cause", "")])
print(json.dumps({"names": sorted(names), "logs": logs}))
