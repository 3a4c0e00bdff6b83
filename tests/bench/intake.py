#!/usr/bin/env python3
"""How fast bundles are judged and taken in: bundles/s per core and on all cores,
and peak memory, against the inflate + CRC floor of the same bytes and against
plain readers in Python and Go that only count statuses. All in one run, the
kinds in turn, so that a busy machine is unfair to none of them; medians.

Usage: intake.py ANALYZER LAB [--like lab|field]... [--rounds N] [COUNT...]
       (release builds; both sizes, 1000 and 10000 bundles, and 5 rounds by default)

`lab`: as the lab's scenarios are, 14 KiB. `field`: with what customers give along
and real pages are like, several times as large; see tests/src/generate/rich.rs.
Needs Go (golang-go) and taskset (util-linux). Nothing is kept."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

GO = r"""
package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type observations struct {
	Observations []struct {
		Step map[string]struct {
			Result struct {
				Ok *struct{ Head *struct{ Raw any } } `json:"ok"`
			} `json:"result"`
		} `json:"step"`
	} `json:"observations"`
}

func read(path string, statuses map[string]int) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return
	}
	defer archive.Close()
	file, err := archive.Open("observations.json")
	if err != nil {
		return
	}
	defer file.Close()
	var seen observations
	if json.NewDecoder(file).Decode(&seen) != nil {
		return
	}
	for _, one := range seen.Observations {
		for _, step := range one.Step {
			if step.Result.Ok != nil && step.Result.Ok.Head != nil {
				if raw, ok := step.Result.Ok.Head.Raw.(string); ok {
					if words := strings.Fields(raw); len(words) > 1 {
						statuses[words[1]]++
					}
				}
			}
		}
	}
}

func main() {
	statuses := map[string]int{}
	filepath.Walk(os.Args[1], func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			read(path, statuses)
		}
		return nil
	})
	fmt.Println(statuses)
}
"""

# The same, in the manner of a script that somebody writes in five minutes.
PYTHON = r"""
import json, pathlib, sys, zipfile
statuses = {}
for path in pathlib.Path(sys.argv[1]).rglob("*.zip"):
    try:
        with zipfile.ZipFile(path) as archive:
            seen = json.loads(archive.read("observations.json"))
    except (zipfile.BadZipFile, KeyError):
        continue
    for one in seen["observations"]:
        for step in one["step"].values():
            raw = ((step.get("result") or {}).get("ok") or {}).get("head") or {}
            if isinstance(raw.get("raw"), str):
                code = raw["raw"].split()[1]
                statuses[code] = statuses.get(code, 0) + 1
print(statuses)
"""

# What no reader can avoid: every entry inflated by zlib, and its CRC, from
# memory. Prints CPU seconds of that alone, entries, bytes and inflated bytes.
FLOOR = r"""
import pathlib, sys, time, zipfile, zlib
entries, count, size = [], 0, 0
for path in pathlib.Path(sys.argv[1]).rglob("*.zip"):
    try:
        with zipfile.ZipFile(path) as archive:
            data = path.read_bytes()
            for info in archive.infolist():
                at = info.header_offset
                name, extra = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (26, 28))
                at += 30 + name + extra
                entries.append((data[at : at + info.compress_size], info.CRC))
            count, size = count + 1, size + len(data)
    except zipfile.BadZipFile:
        continue
inflated, began, wall = 0, time.process_time(), time.perf_counter()
for data, crc in entries:
    text = zlib.decompress(data, -15)
    assert zlib.crc32(text) == crc
    inflated += len(text)
print(time.perf_counter() - wall, time.process_time() - began, count, size, inflated)
"""


def timed(command):
    """Wall seconds, CPU seconds and peak memory in MiB of a command."""
    began = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    # 1: some were bad, as they were made.
    assert os.waitstatus_to_exitcode(status) in (0, 1), command
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("analyzer")
    parser.add_argument("lab")
    parser.add_argument("counts", metavar="COUNT", type=int, nargs="*", default=[1000, 10000])
    parser.add_argument("--like", choices=["lab", "field"], action="append")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_intermixed_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="wss-bench-"))
    try:
        (work / "main.go").write_text(GO)
        env = dict(os.environ, GOCACHE=str(work / "gocache"), GO111MODULE="off")
        subprocess.run(["go", "build", "-o", work / "reader", work / "main.go"], check=True, env=env)
        for like in args.like or ["lab", "field"]:
            for count in args.counts:
                measure(args, work, like, count)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(args, work, like, count):
    folder, store = work / "bundles", work / "store"
    generate = [args.lab, "generate", "--count", str(count), "--seed", "9", "--out", folder]
    if like == "field":
        generate += ["--rich"]
    subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
    one = ["taskset", "-c", "0"]
    take_in = [args.analyzer, "trends", folder, "--store", store, "-o", work / "t.html"]
    kinds = {
        "floor: inflate + CRC": None,
        "the same by libdeflate": [*one, args.lab, "floor", folder],
        "judged (rows), one core": [*one, args.analyzer, "rows", folder],
        "judged (rows), all cores": [args.analyzer, "rows", folder],
        "taken in (trends), one core": [*one, *take_in],
        "taken in (trends), all cores": take_in,
        "Python zipfile + json": [sys.executable, "-c", PYTHON, folder],
        "Go archive/zip + encoding/json": [work / "reader", folder],
    }
    rounds = {kind: [] for kind in kinds}
    page = []
    for _ in range(args.rounds):
        for kind, command in kinds.items():
            shutil.rmtree(store, ignore_errors=True)
            if command is None:
                out = subprocess.run([sys.executable, "-c", FLOOR, folder], check=True, capture_output=True, text=True)
                wall, cpu, read, size, inflated = (float(word) for word in out.stdout.split())
                rounds[kind].append((wall, cpu, None))
            elif "floor" in command:
                # What it takes to read the files is no part of it.
                whole, rest = timed(command), timed([*command, "--times", "0"])
                rounds[kind].append((*(max(a - b, 1e-3) for a, b in zip(whole[:2], rest)), None))
            else:
                rounds[kind].append(timed(command))
                if kind.startswith("taken in (trends), all"):
                    page.append(timed([args.analyzer, "trends", "--store", store, "-o", work / "t.html"])[0])
    kib = size / read / 1024, inflated / read / 1024
    print(f"\n{count} bundles as of the {like}, of {kib[0]:.0f} KiB, {kib[1]:.0f} KiB inflated; medians of {args.rounds} rounds", flush=True)
    print(f"{'':32} {'bundles/s':>10} {'per CPU s':>10} {'of floor':>9} {'x Python':>9} {'peak MiB':>9}")
    # On a machine with other work, what counts is the CPU seconds.
    middle = {kind: [statistics.median(r[n] for r in all) for n in (0, 1)] for kind, all in rounds.items()}
    per_cpu = {kind: count / cpu for kind, (_, cpu) in middle.items()}
    for kind, (wall, _) in middle.items():
        peak = max((r[2] or 0 for r in rounds[kind]), default=0)
        share = per_cpu[kind] / per_cpu["floor: inflate + CRC"]
        times = per_cpu[kind] / per_cpu["Python zipfile + json"]
        peak = f"{peak:.0f}" if peak else ""
        print(f"{kind:32} {count / wall:>10.0f} {per_cpu[kind]:>10.0f} {share:>8.0%} {times:>9.1f} {peak:>9}")
    print(f"the page of them: {statistics.median(page) * 1000:.0f} ms", flush=True)
    shutil.rmtree(folder)


main()
