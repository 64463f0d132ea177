"""The page of dependencies says what the code does today."""

import subprocess
import sys
from pathlib import Path

from holdfast.platform.dependencies import LIMITS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/dependencies.md"


class TestReferencePage:
    def test_is_what_the_code_says_today(self):
        command = [
            sys.executable,
            str(ROOT / "tools/dependencies_reference.py"),
            "--print",
        ]
        said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603

        assert PAGE.read_text() == said.stdout, (
            "run .venv/bin/python tools/dependencies_reference.py"
        )

    def test_has_a_row_for_every_dependency_in_every_table(self):
        _, pools, *rest = PAGE.read_text().split("\n## ")

        for table in (pools, *(part for part in rest if part.startswith(("C", "W")))):
            for name in LIMITS:
                assert f"\n| {name} |" in table
