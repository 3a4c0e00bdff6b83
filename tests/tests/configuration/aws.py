"""Makes load balancers in a moto server, one for each case on standard input; prints their ARNs."""

import json
import os
import sys

import boto3

where = os.environ["AWS_ENDPOINT_URL"]
v2, v1, ec2, iam = (boto3.client(name, endpoint_url=where) for name in ("elbv2", "elb", "ec2", "iam"))
subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
certificate = iam.upload_server_certificate(ServerCertificateName="console", CertificateBody="x", PrivateKey="y")
certificate = certificate["ServerCertificateMetadata"]["Arn"]


def classic(case):
    listener = {
        "Protocol": case["protocol"],
        "LoadBalancerPort": case["port"],
        "InstanceProtocol": "HTTP",
        "InstancePort": 3001,
        "SSLCertificateId": certificate,
    }
    v1.create_load_balancer(LoadBalancerName=case["name"], Listeners=[listener], Subnets=subnets)
    settings = {"ConnectionSettings": {"IdleTimeout": case["idle"]}}
    v1.modify_load_balancer_attributes(LoadBalancerName=case["name"], LoadBalancerAttributes=settings)
    return {}


def newer(case):
    kind, network = case["kind"], case["kind"] == "network"
    balancer = v2.create_load_balancer(Name=case["name"], Subnets=subnets, Type=kind)["LoadBalancers"][0]
    balancer = balancer["LoadBalancerArn"]
    version = {} if network else {"ProtocolVersion": case.get("version", "HTTP1")}
    group = v2.create_target_group(
        Name=case["name"], Protocol="TCP" if network else "HTTP", Port=3001, VpcId=vpc, TargetType="ip", **version
    )["TargetGroups"][0]["TargetGroupArn"]
    if case.get("target", True):
        v2.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.7", "Port": 3001}])

    def actions(given):
        return json.loads(json.dumps(given).replace("GROUP", group))

    forward = [{"Type": "forward", "TargetGroupArn": "GROUP"}]
    listener = v2.create_listener(
        LoadBalancerArn=balancer,
        Protocol=case["protocol"],
        Port=case["port"],
        Certificates=[] if case["protocol"] == "TCP" else [{"CertificateArn": certificate}],
        DefaultActions=actions(case.get("default", forward)),
    )["Listeners"][0]["ListenerArn"]
    for port in case.get("more_ports", []):
        v2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=actions(forward))
    for rule in case.get("rules", []):
        v2.create_rule(
            ListenerArn=listener,
            Priority=rule["priority"],
            Conditions=rule["conditions"],
            Actions=actions(rule.get("actions", forward)),
        )
    if network:
        entry = {"Key": "tcp.idle_timeout.seconds", "Value": str(case["idle"])}
        v2.modify_listener_attributes(ListenerArn=listener, Attributes=[entry])
    else:
        entry = {"Key": "idle_timeout.timeout_seconds", "Value": str(case["idle"])}
        v2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[entry])
    return {"--load-balancer-arn": balancer, "--listener-arn": listener, "--target-group-arn": group}


# Somebody who may do nothing.
iam.create_user(UserName="kim")
key = iam.create_access_key(UserName="kim")["AccessKey"]
made = {case["name"]: (classic if case["kind"] == "classic" else newer)(case) for case in json.load(sys.stdin)}
print(json.dumps({"made": made, "key": [key["AccessKeyId"], key["SecretAccessKey"]]}))
