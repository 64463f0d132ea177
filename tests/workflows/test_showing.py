"""Whoever writes a product shows it to readers and to the search alike."""

import re
from pathlib import Path

import holdfast
from holdfast.workflows import showing

SOURCE = Path(holdfast.__file__).parent


class TestShow:
    def test_is_how_every_write_ends(self):
        alone = [
            str(path.relative_to(SOURCE))
            for path in sorted(SOURCE.rglob("*.py"))
            if re.search(r"\bcatalog\.project\(", path.read_text())
            and path != Path(showing.__file__)
        ]

        assert not alone, f"these forget the search: {alone}"
