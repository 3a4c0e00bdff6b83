#!/usr/bin/env python3
"""The trends of more bundles than one machine takes: a Spark job (docs/fleet.md).

    spark-submit trends.py --analyzer wss-analyzer --sql analyzer/sql --tables docs/tables.md \\
        --bundles s3a://bucket/in --out s3a://bucket/trends --results results.json

It lists the bundles, hands those that are new to `wss-analyzer rows` on the
executors (a tar stream on standard input, NDJSON out), drops ids that were
seen before, adds the rows to Parquet tables partitioned by month, runs the
named queries over all of them, and writes their answers for
`wss-analyzer trends --results`.

Verdicts are the analyzer's; here is no judgement and no scheduler. A task that
fails is run again by Spark, and its output counts once: what a run has made is
written under a folder of its own, and counts from the moment at which the
marker of that run is written, which is the last thing that it does.
"""

import argparse
import io
import json
import pathlib
import subprocess
import tarfile
import threading
import urllib.parse
import uuid

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

KINDS = {"text": T.StringType(), "integer": T.LongType(), "real": T.DoubleType()}


def tables(page):
    """Columns of each table, from the documentation that is made of the schema (docs/tables.md)."""
    out, name = {}, None
    for line in page.splitlines():
        if line.startswith("## "):
            name = line[3:].strip()
            out[name] = []
        elif name and line.startswith("| `"):
            column, kind = [cell.strip() for cell in line.split("|")[1:3]]
            out[name].append((column.strip("`"), kind.split(",")[0]))
    return out


def schema(columns):
    return T.StructType([T.StructField(name, KINDS[kind]) for name, kind in columns])


def judge(analyzer):
    """Runs the analyzer over the bundles of a partition; gives its lines."""

    def run(rows):
        rows = iter(rows)
        first = next(rows, None)
        if first is None:
            return
        child = subprocess.Popen([analyzer, "rows", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        failed = []

        def feed():
            try:
                with child.stdin, tarfile.open(fileobj=child.stdin, mode="w|") as stream:
                    row = first
                    while row is not None:
                        entry = tarfile.TarInfo(row["path"])
                        entry.size = len(row["content"])
                        stream.addfile(entry, io.BytesIO(row["content"]))
                        row = next(rows, None)
            except Exception as error:
                failed.append(error)

        feeder = threading.Thread(target=feed)
        feeder.start()
        for line in child.stdout:
            yield line.decode()
        feeder.join()
        # 2: no bundle in this partition could be judged, and each is said to be bad.
        code = child.wait()
        if failed or code not in (0, 1, 2):
            raise RuntimeError(f"wss-analyzer rows: exit code {code}, {failed}")

    return run


def runs(spark, out):
    """Folders of the runs that came to their end."""
    hadoop = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(out)
    files = hadoop.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    if not files.exists(hadoop):
        return []
    found = [status.getPath() for status in files.listStatus(hadoop)]
    path = spark.sparkContext._jvm.org.apache.hadoop.fs.Path
    return [p.toString() for p in found if files.exists(path(p, "_done"))]


def write_text(spark, path, text):
    target = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)
    files = target.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    stream = files.create(target, True)
    stream.write(bytearray(text.encode()))
    stream.close()


def listed(spark, files):
    """Names of all files, in the form that the column `path` has. Spark reads none that is empty."""
    join = spark.sparkContext._jvm.org.apache.hadoop.util.StringUtils.join
    names = join("\n", files._jdf.inputFiles()).split("\n")
    return [urllib.parse.unquote(name).replace(":///", ":/", 1) for name in names if name]


def take_in(spark, args, known):
    """Judges what is new, and writes it as a run. Nothing counts before its marker is there."""
    before = runs(spark, args.out)
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    files = files.option("pathGlobFilter", "*.{zip,zip.age}").load(args.bundles).select("path", "content")
    # Kept, since each look at a name asks the bucket.
    new = files.select("path").cache()
    names = spark.createDataFrame([(name,) for name in listed(spark, files)], "path string")
    empty = names.join(new, "path", "left_anti")
    if before:
        seen = spark.read.parquet(*[f"{run}/files" for run in before]).select("path").distinct()
        # What is there by name is not fetched again; the content is read after the join.
        new, empty = (one.join(seen, "path", "left_anti") for one in (new, empty))
        files = files.join(F.broadcast(new), "path", "left_semi")
    files = files.unionByName(empty.withColumn("content", F.lit("").cast("binary")))
    files = files.repartition(args.partitions)
    lines = files.rdd.mapPartitions(judge(args.analyzer))
    run = f"{args.out}/run-{uuid.uuid4()}"
    # Written once as text: each table is then a reading of the same lines.
    lines.saveAsTextFile(f"{run}/lines", "org.apache.hadoop.io.compress.GzipCodec")
    raw = spark.read.text(f"{run}/lines")
    raw = raw.select(F.get_json_object("value", "$.table").alias("table"), "value")
    read = lambda name: (
        raw.where(F.col("table") == name)
        .select(F.from_json("value", schema(known[name])).alias("row"))
        .select("row.*")
    )
    # The same bundle under two names, or in an earlier run, counts once.
    bundles = read("bundles").dropDuplicates(["bundle_id"])
    if before:
        old = spark.read.schema(schema(known["bundles"])).parquet(*[f"{r}/bundles" for r in before])
        bundles = bundles.join(old.select("bundle_id"), "bundle_id", "left_anti")
    bundles = bundles.select(*[name for name, _ in known["bundles"]]).cache()
    for name in known:
        if name == "bad":
            rows = read(name)
        elif name == "bundles":
            rows = bundles
        else:
            # Duplicated bundles have duplicated rows: the same, since the same rules judged them.
            rows = read(name).dropDuplicates(["bundle_id"] + [c for c, _ in known[name] if c == "number"])
            rows = rows.join(bundles.select("bundle_id"), "bundle_id", "left_semi")
        if name != "bad":
            rows = rows.withColumn("month", F.substring("day", 1, 7)).repartition("month")
            rows.write.partitionBy("month").parquet(f"{run}/{name}")
        else:
            rows.write.parquet(f"{run}/{name}")
    new.unionByName(empty).write.parquet(f"{run}/files")
    write_text(spark, f"{run}/_done", "")


def of_bundles():
    """What roll-ups count by: as in analyzer/src/store/rollup.rs."""
    day = "SUBSTR(b.day, 9, 2)"
    quarter = f"CASE WHEN {day} < '08' THEN '01' WHEN {day} < '15' THEN '08' WHEN {day} < '22' THEN '15' ELSE '22' END"
    return f"(SUBSTR(b.day, 1, 8) || {quarter})", "COALESCE(b.device, '')"


def answer(spark, args, known):
    """The named queries over everything, as `wss-analyzer trends --results` wants them."""
    done = runs(spark, args.out)
    for name, columns in known.items():
        table = spark.read.schema(schema(columns)).parquet(*[f"{run}/{name}" for run in done])
        if name == "bad":
            # A place that was bad in one run and good in a later one is no longer bad.
            good = spark.read.schema(schema(known["bundles"])).parquet(*[f"{run}/bundles" for run in done])
            table = table.dropDuplicates(["source"]).join(good.select("source"), "source", "left_anti")
        table.createOrReplaceTempView(name)
    folder = pathlib.Path(args.sql)
    rollups = {path.stem: path.read_text() for path in (folder / "rollup").glob("*.sql")}
    period, to_blame = of_bundles()
    # `cases` first: others count it.
    for name in sorted(rollups, key=lambda name: (name != "cases", name)):
        text = rollups[name].replace("{bundles}", "bundles").replace("{cases}", "cases")
        text = text.replace("{text}", "STRING").replace("{period}", period).replace("{to_blame}", to_blame)
        view = spark.sql(text).cache()
        # The named query has this name, too.
        view.createOrReplaceTempView(name)
    answers = {}
    for path in sorted(folder.glob("*.sql")):
        result = spark.sql(path.read_text())
        rows = [list(row) for row in result.collect()]
        answers[path.stem] = {"columns": result.columns, "rows": rows}
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundles", required=True, help="folder of bundles: any URL that Spark reads")
    parser.add_argument("--out", required=True, help="folder of the Parquet tables")
    parser.add_argument("--results", required=True, help="local file for the answers")
    parser.add_argument("--analyzer", default="wss-analyzer", help="the program, on every executor")
    parser.add_argument("--sql", required=True, help="analyzer/sql of the same version as the program")
    parser.add_argument("--tables", required=True, help="docs/tables.md of the same version")
    parser.add_argument("--partitions", type=int, default=64, help="tasks that the bundles are cut into")
    args = parser.parse_args()
    # Gzip is Java alone; snappy and zstd need native libraries, which not every machine loads.
    builder = SparkSession.builder.appName("wss-trends")
    spark = builder.config("spark.sql.parquet.compression.codec", "gzip").getOrCreate()
    known = tables(pathlib.Path(args.tables).read_text())
    take_in(spark, args, known)
    answers = answer(spark, args, known)
    pathlib.Path(args.results).write_text(json.dumps(answers))
    spark.stop()


if __name__ == "__main__":
    main()
