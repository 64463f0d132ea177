"""Refuse a test run that leaves too much of the code untried.

Some code is worth more than a percentage: what every amount of money and every
refusal goes through must have each of its branches taken. The rest may miss a few.
Reads the report that ``coverage json`` writes.
"""

import json
import sys
from pathlib import Path
from typing import Any

OVERALL_PERCENT = 95.0
WHOLE = ("src/holdfast/resilience/", "src/holdfast/kernel/")


def must_be_whole(path: str) -> bool:
    """Whether every line and branch of this file must run in the tests."""
    in_domain = path.startswith("src/holdfast/domain/")
    return path.startswith(WHOLE) or (in_domain and path.endswith("/model.py"))


def gaps(path: str, file: dict[str, Any]) -> list[str]:
    """Lines never run, and branches (from -> to) never taken."""
    lines = [f"{path}:{line} never runs" for line in file["missing_lines"]]
    branches = [
        f"{path}:{start} never goes to {'the end' if end < 0 else f'line {end}'}"
        for start, end in file.get("missing_branches", [])
        if start not in file["missing_lines"]
    ]
    return lines + branches


def main(report: Path) -> int:
    measured = json.loads(report.read_text())
    files = {name.replace("\\", "/"): f for name, f in measured["files"].items()}
    missing = [
        gap
        for path, file in sorted(files.items())
        if must_be_whole(path)
        for gap in gaps(path, file)
    ]
    overall = measured["totals"]["percent_covered"]
    for gap in missing:
        print(f"coverage: {gap}")
    if overall < OVERALL_PERCENT:
        worst = sorted(files.items(), key=lambda pair: -len(gaps(*pair)))[:10]
        for path, file in worst:
            percent = file["summary"]["percent_covered"]
            print(f"coverage: {path} {percent:.0f} %, {len(gaps(path, file))} gaps")
    whole = sum(map(must_be_whole, files))
    print(
        f"coverage: {overall:.1f} % overall (gate {OVERALL_PERCENT:.0f}), "
        f"{len(missing)} gaps in the {whole} files that may have none"
    )
    return 1 if missing or overall < OVERALL_PERCENT else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
