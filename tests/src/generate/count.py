#!/usr/bin/env python3
"""Counts what can be counted in bundles without judging them, by nothing but
zipfile and json: the trends must come to the same numbers.

Usage: count.py FOLDER > counts.json"""

import collections, json, pathlib, sys, zipfile


def read(path):
    with zipfile.ZipFile(path) as archive:
        return tuple(
            json.loads(archive.read(name)) for name in ("manifest.json", "observations.json")
        )


def cut_after(observations):
    """Seconds after which the silent hold of the route that decides was cut; None when it was not held."""
    routes = observations["routes"]
    selected = next((r["id"] for r in routes if r["selected"]), routes[0]["id"] if routes else None)
    for one in observations["observations"]:
        if one["probe"] == "hold-silent" and one["route"] == selected and "hold" in one["step"]:
            held = one["step"]["hold"]["result"].get("ok")
            if held is None:
                return None
            if held["ending"]["how"] == "still-open":
                return -1
            # As the tables have it: tenths of a second, then whole ones, halves upwards.
            tenths = int(held["held_ms"] / 100 + 0.5)
            return int(tenths / 10 + 0.5)
    return None


def main(folder):
    seen, cases = set(), {}
    counts = collections.defaultdict(collections.Counter)
    bad = 0
    for path in sorted(pathlib.Path(folder).rglob("*.zip")):
        try:
            manifest, observations = read(path)
        except Exception:
            bad += 1
            continue
        if manifest["id"] in seen:
            continue
        seen.add(manifest["id"])
        vantage, at = manifest["vantage"], manifest["started_at"]
        counts["vantage"][vantage] += 1
        counts["host"][manifest["target"]["host"]] += 1
        counts["collector"][manifest["collector"]["version"] + " " + manifest["collector"]["os"]] += 1
        cut = cut_after(observations)
        if cut is not None:
            counts["cut"][str(cut)] += 1
        # A case is what its first bundle from inside says, or else from outside.
        key = (vantage, at[:19], manifest["id"])
        if manifest["case"] not in cases or key < cases[manifest["case"]]:
            cases[manifest["case"]] = key
    for _, at, _ in cases.values():
        counts["case_day"][at[:10]] += 1
    result = {"bundles": len(seen), "cases": len(cases), "bad": bad}
    json.dump(result | {name: dict(sorted(c.items())) for name, c in counts.items()}, sys.stdout)


main(sys.argv[1])
