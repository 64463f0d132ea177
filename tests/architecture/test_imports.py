"""Each import contract bites: broken on purpose, it is reported by its name."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"]
}
# Where to put which line, and the contract that must refuse it.
FORBIDDEN = [
    (
        "resilience/errors.py",
        "import msgspec",
        "resilience stands alone: the standard library, and one file for each adapter",
    ),
    (
        "resilience/errors.py",
        "import holdfast.kernel.money",
        "resilience stands alone: the standard library, and one file for each adapter",
    ),
    (
        "simulators/main.py",
        "import holdfast.kernel.money",
        "simulators are strangers: they meet us over HTTP only",
    ),
    ("platform/db.py", "import holdfast.domain.inventory", "imports only point down"),
    ("worker/__init__.py", "import holdfast.api", "imports only point down"),
    ("extras.py", '"""A package that is in no layer."""', "imports only point down"),
    (
        "domain/inventory/store.py",
        "import holdfast.domain.ordering",
        "domain modules do not know each other",
    ),
    ("domain/inventory/model.py", "import asyncpg", "rules are pure"),
    ("kernel/money.py", "import aiohttp", "rules are pure"),
    (
        "workflows/__init__.py",
        "import litestar",
        "only the api and the simulators know the web framework",
    ),
    (
        "workflows/__init__.py",
        "import asyncpg",
        "only platform opens the database driver",
    ),
    (
        "workflows/__init__.py",
        "import holdfast.domain.inventory.store",
        "enter each domain module by its public interface",
    ),
    (
        "kernel/errors.py",
        "import holdfast.kernel.page",
        "no cycles anywhere",
    ),
]


class TestContracts:
    def test_each_has_a_violation_here(self):
        assert {contract for _, _, contract in FORBIDDEN} == CONTRACTS

    @pytest.mark.slow
    @pytest.mark.parametrize(("file", "line", "contract"), FORBIDDEN)
    def test_reports_what_it_forbids(self, file, line, contract, tmp_path):
        shutil.copytree(
            *(ROOT / "src", tmp_path / "src"),
            ignore=shutil.ignore_patterns("__pycache__", "*.sql", "static"),
        )
        target = tmp_path / "src/holdfast" / file
        before = target.read_text() if target.exists() else ""
        target.write_text(f"{before}\n{line}\n")

        report = subprocess.run(  # noqa: S603 - our own linter on our own copy
            [
                str(Path(sys.executable).parent / "lint-imports"),
                *("--config", str(ROOT / "pyproject.toml"), "--no-cache"),
            ],
            # The folder it runs in comes before the installed package.
            cwd=tmp_path / "src",
            capture_output=True,
            text=True,
            check=False,
        ).stdout

        broken = set(re.findall(r"^(.+?) BROKEN\b", report, re.MULTILINE))
        assert contract in broken, report
