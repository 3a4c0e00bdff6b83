#!/usr/bin/env python3
"""SQLite and Spark give the same rows for every named query over the same
bundles, and a worker that is killed half-way changes nothing.

Starts a stand-alone Spark (master and two workers) on loopback, and ends it.
Run by `./tests/run fleet`; needs Java, and PyPI's pyspark in the Python that
runs it.

Usage: compare.py ANALYZER LAB [COUNT]"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pyspark

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPARK = pathlib.Path(pyspark.__file__).parent
MASTER = re.compile(r"spark://127\.0\.0\.1:\d+")


class Daemon:
    """A part of Spark, its log read line by line."""

    def __init__(self, work, *args):
        env = dict(os.environ, SPARK_HOME=str(SPARK), SPARK_LOCAL_IP="127.0.0.1", SPARK_WORKER_DIR=str(work / "workers"))
        self.child = subprocess.Popen(
            [SPARK / "bin/spark-class", *map(str, args)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.child.stdout), daemon=True)
        self.reader.start()

    def wait_for(self, pattern, seconds=120):
        until = time.time() + seconds
        while time.time() < until:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found.group(0)
            if self.child.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit(f"{pattern} does not come:\n" + "".join(self.lines[-20:]))

    def end(self):
        self.child.kill()
        self.child.wait()


def start(work):
    deploy = "org.apache.spark.deploy"
    master = Daemon(work, f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", 0, "--webui-port", 0)
    url = master.wait_for(MASTER.pattern)
    worker = lambda: Daemon(
        work, f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--webui-port", 0, "--cores", 1, "--memory", "2g", url
    )
    workers = [worker(), worker()]
    for one in workers:
        one.wait_for("Successfully registered")
    return url, master, workers


def submit(url, work, analyzer, bundles, out, results):
    env = dict(os.environ, SPARK_HOME=str(SPARK), SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    return subprocess.Popen(
        [
            SPARK / "bin/spark-submit", "--master", url, "--conf", "spark.ui.enabled=false",
            "--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.driver.host=127.0.0.1",
            "--conf", "spark.sql.shuffle.partitions=8", "--conf", "spark.executor.memory=1g",
            ROOT / "analyzer/fleet/trends.py", "--analyzer", analyzer, "--sql", ROOT / "analyzer/sql",
            "--tables", ROOT / "docs/tables.md", "--bundles", bundles, "--out", out, "--results", results,
            "--partitions", "16",
        ],
        env=env, cwd=work, stdout=subprocess.DEVNULL, stderr=open(work / "submit.log", "w"),
    )


def by_sqlite(analyzer, store, query):
    run = subprocess.run([analyzer, "sql", "--store", store, "--format", "json", "--", query], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [list(row.values()) for row in json.loads(run.stdout)]


def main():
    # What was started is ended, also when somebody ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    analyzer, lab = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    count = sys.argv[3] if len(sys.argv) > 3 else "20000"
    work = pathlib.Path(tempfile.mkdtemp(prefix="wss-fleet-"))
    daemons = []
    try:
        subprocess.run([lab, "generate", "--count", count, "--seed", "5", "--out", work], check=True)
        began = time.time()
        done = subprocess.run(
            [analyzer, "trends", work / "in", "--store", work / "store", "-o", work / "sqlite.html"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        assert done.returncode in (0, 1), done.returncode
        print(f"one machine: {time.time() - began:.0f} s")
        url, master, workers = start(work)
        daemons = [master, *workers]
        began = time.time()
        job = submit(url, work, analyzer, work / "in", work / "tables", work / "results.json")
        # Half-way: the lines of the first tasks are there, and not all of them.
        until = time.time() + 600
        while time.time() < until and job.poll() is None:
            if len(list(work.glob("tables/run-*/lines/_temporary/**/part-*"))) >= 3:
                break
            time.sleep(0.2)
        assert job.poll() is None, (work / "submit.log").read_text()[-3000:]
        workers[1].end()
        print(f"a worker was killed after {time.time() - began:.0f} s")
        assert job.wait(timeout=3000) == 0, (work / "submit.log").read_text()[-3000:]
        print(f"Spark: {time.time() - began:.0f} s")
        size = lambda *names: sum(f.stat().st_size for name in names for f in work.glob(f"{name}/**/*") if f.is_file()) / 1e6
        tables, lines = size("tables/run-*/[!l]*", "tables/run-*/layers"), size("tables/run-*/lines")
        print(f"bundles: {size('in'):.0f} MB; Parquet: {tables:.0f} MB; lines: {lines:.0f} MB")
        answers = json.loads((work / "results.json").read_text())
        wrong = 0
        for path in sorted((ROOT / "analyzer/sql").glob("*.sql")):
            ours, theirs = by_sqlite(analyzer, work / "store", path.read_text()), answers[path.stem]["rows"]
            if path.stem == "bad":
                # The places are named differently: file:/… there.
                ours, theirs = ([row[:2] for row in rows] for rows in (ours, theirs))
            same = ours == theirs
            wrong += not same
            print(f"{path.stem}: {len(ours)} rows, {'the same' if same else 'DIFFERENT'}")
            if not same:
                for a, b in zip(ours, theirs):
                    if a != b:
                        print("  SQLite", a, "\n  Spark ", b)
                        break
                print(f"  {len(ours)} and {len(theirs)} rows")
        # A second run over the same bundles adds nothing.
        again = submit(url, work, analyzer, work / "in", work / "tables", work / "again.json")
        assert again.wait(timeout=3000) == 0, (work / "submit.log").read_text()[-3000:]
        if json.loads((work / "again.json").read_text()) != answers:
            wrong += 1
            print("a second run over the same bundles changes the answers")
        page = subprocess.run([analyzer, "trends", "--results", work / "results.json", "-o", work / "fleet.html"])
        assert page.returncode == 0
        sys.exit(1 if wrong else 0)
    finally:
        for one in daemons:
            one.end()
        shutil.rmtree(work, ignore_errors=True)


main()
