"""Computes the ceremony vectors again with the reference implementation and compares.

`check.py [FILE...]`: all files of `ceremony/`, or these only. Exits with 1 when anything differs.
"""

import json
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from reference import disputes, group, refusals, types, wire
from reference.report import Report

FOLDER = Path(__file__).resolve().parent / "ceremony"
CHECKS = {
    "dkg-2-of-3.json": group.check,
    "dkg-3-of-5.json": group.check,
    "import-2-of-3.json": group.check,
    "refusals.json": refusals.check,
    "disputes.json": disputes.check,
    "wire.json": types.check,
}


def load(name):
    return json.loads((FOLDER / name).read_text())


def with_roster(vector):
    """Some files name network and roster in the plan only; the roster itself is in another."""
    if "roster_body" not in vector:
        body = wire.decode(bytes.fromhex(vector["plan"]))[0]
        _, _, network, terms = wire.decode(body)
        vector.setdefault("network", network.hex())
        vector.setdefault("roster_hash", terms[1].hex())
        bodies = [
            other["roster_body"]
            for other in map(load, ("dkg-2-of-3.json", "dkg-3-of-5.json"))
            if other["roster_hash"] == vector["roster_hash"]
        ]
        vector["roster_body"] = bodies[0]
    return vector


def check(name):
    report, begin = Report(name), time.process_time()
    try:
        vector = load(name)
        report.same("license", vector["license"], "Apache-2.0")
        CHECKS[name](report, with_roster(vector))
    except Exception:
        report.failures.append(f"cannot be checked: {traceback.format_exc()}")
    return report, time.process_time() - begin


def main(names):
    names = [Path(name).name for name in names] or sorted(CHECKS)
    stored = {path.name for path in FOLDER.glob("*.json")}
    passed = failed = 0
    for name in sorted((stored - CHECKS.keys()) | (set(names) - CHECKS.keys())):
        print(f"FAILED {name}: no check for this file")
        failed += 1
    names = [name for name in names if name in CHECKS]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for report, seconds in pool.map(check, sorted(names, reverse=True)):
            for failure in report.failures:
                print(f"FAILED {report.file}: {failure}")
            print(f"{report.file}: {report.passed} comparisons, {seconds:.1f} s")
            passed += report.passed
            failed += len(report.failures)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
