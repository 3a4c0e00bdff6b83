#!/usr/bin/env python3
"""How fast bundles are taken in: bundles/s per core and on all cores, and peak
memory, against the inflate + CRC floor of the same bytes and against plain
readers in Python and Go that only count statuses. All in one run.

Usage: intake.py ANALYZER LAB [COUNT...]     (release builds; 1000 10000 by default)

Needs Go (golang-go) and taskset (util-linux). Nothing is kept."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib

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

func main() {
	statuses := map[string]int{}
	filepath.Walk(os.Args[1], func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return nil
		}
		archive, err := zip.OpenReader(path)
		if err != nil {
			return nil
		}
		defer archive.Close()
		file, err := archive.Open("observations.json")
		if err != nil {
			return nil
		}
		defer file.Close()
		var seen observations
		if json.NewDecoder(file).Decode(&seen) != nil {
			return nil
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
		return nil
	})
	fmt.Println(len(statuses))
}
"""


def preload(folder):
    """The compressed bytes of every entry, with their checksums."""
    preloaded = []
    for path in folder.rglob("*.zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                data = path.read_bytes()
                for info in archive.infolist():
                    at = info.header_offset
                    at += 30 + int.from_bytes(data[at + 26 : at + 28], "little") + int.from_bytes(data[at + 28 : at + 30], "little")
                    preloaded.append((data[at : at + info.compress_size], info.CRC))
        except zipfile.BadZipFile:
            continue
    return preloaded


def floor(preloaded):
    """Inflates every entry and checks its CRC, by zlib: what no reader can avoid."""
    for data, crc in preloaded:
        assert zlib.crc32(zlib.decompress(data, -15)) == crc


def python(folder):
    statuses = {}
    for path in folder.rglob("*.zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                seen = json.loads(archive.read("observations.json"))
        except (zipfile.BadZipFile, KeyError):
            continue
        for one in seen["observations"]:
            for step in one["step"].values():
                raw = ((step.get("result") or {}).get("ok") or {}).get("head") or {}
                if isinstance(raw.get("raw"), str):
                    code = raw["raw"].split(" ", 2)[1]
                    statuses[code] = statuses.get(code, 0) + 1
    return statuses


def timed(command, **more):
    """Wall seconds and peak memory in MiB of a command."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    _, status, usage = os.wait4(child.pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 1), command
    return time.perf_counter() - began, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def here(work, given):
    """Wall and CPU seconds of a function."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(given)
    return time.perf_counter() - wall, time.process_time() - cpu


def main():
    analyzer, lab = sys.argv[1:3]
    counts = [int(n) for n in sys.argv[3:]] or [1000, 10000]
    work = pathlib.Path(tempfile.mkdtemp(prefix="wss-bench-"))
    try:
        (work / "main.go").write_text(GO)
        env = dict(os.environ, GOCACHE=str(work / "gocache"), GO111MODULE="off")
        subprocess.run(["go", "build", "-o", work / "reader", work / "main.go"], check=True, env=env)
        print(f"{'bundles':>8} {'what':34} {'bundles/s':>10} {'per CPU s':>10} {'peak MiB':>9}")
        for count in counts:
            folder = work / str(count)
            subprocess.run([lab, "generate", "--count", str(count), "--seed", "9", "--out", folder], check=True, stdout=subprocess.DEVNULL)

            # On a machine with other work, what counts is the column of CPU seconds.
            def line(what, seconds, cpu, peak=None):
                peak = "" if peak is None else f"{peak:.0f}"
                print(f"{count:>8} {what:34} {count / seconds:>10.0f} {count / cpu:>10.0f} {peak:>9}", flush=True)

            for what, prefix in (("taken in and judged, one core", ["taskset", "-c", "0"]), ("taken in and judged, all cores", [])):
                store = work / "store"
                shutil.rmtree(store, ignore_errors=True)
                seconds, peak, cpu = timed([*prefix, analyzer, "trends", folder, "--store", store, "-o", work / "t.html"])
                line(what, seconds, cpu, peak)
            seconds, _, cpu = timed([analyzer, "trends", "--store", work / "store", "-o", work / "t.html"])
            print(f"{count:>8} {'the page of them':34} {seconds * 1000:>7.0f} ms")
            if count <= 20000:
                line("floor: inflate + CRC", *here(floor, preload(folder)))
                line("Python zipfile + json", *here(python, folder))
                seconds, peak, cpu = timed([work / "reader", folder])
                line("Go archive/zip + encoding/json", seconds, cpu, peak)
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
