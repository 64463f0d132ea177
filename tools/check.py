"""Everything that judges the code without running it, two at a time.

All of them run even when one fails, so that one run shows all there is to mend.
Names on the command line pick some: ``make check ARGS="ruff mypy"``.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# The slowest first, so that the others run beside it.
CHECKS = {
    "mypy": ("mypy",),
    "lint-imports": ("lint-imports", "--no-cache"),
    "ruff": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "codespell": ("codespell",),
    "pyproject": ("validate-pyproject", "pyproject.toml"),
    "hadolint": ("hadolint", "deploy/Dockerfile"),
    "compose": (
        *("check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
        "deploy/compose.yaml",
    ),
    "workflow": (
        *("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
        ".github/workflows/ci.yml",
    ),
}


def main(names: list[str]) -> int:
    unknown = set(names) - CHECKS.keys()
    if unknown:
        print(f"check: no such check: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(run, names or CHECKS))
    return 0 if all(passed) else 1


def run(name: str) -> bool:
    tool, *arguments = CHECKS[name]
    started = time.perf_counter()
    done = subprocess.run(
        [str(BIN / tool), *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    line = f"check: {name:<13}{verdict:<7}{time.perf_counter() - started:5.1f} s\n"
    # One write, so that two checks ending together do not mix their lines.
    sys.stdout.write(line if done.returncode == 0 else f"{done.stdout}\n{line}")
    sys.stdout.flush()
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
