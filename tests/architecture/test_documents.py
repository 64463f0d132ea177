"""Documents keep their form, and their links lead somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
HEADINGS = ["Context", "Decision", "Consequences", "Alternatives", "References"]
LINK = re.compile(r"\]\((?!https?:|mailto:|#|/)([^)#\s]+)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
MAX_LINES = 60


class TestDecisions:
    def test_have_the_five_headings(self):
        odd = {
            path.name: found
            for path in DECISIONS
            if (found := re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE))
            != HEADINGS
        }

        assert odd == {}

    def test_are_numbered_without_a_gap_and_headed_by_their_number(self):
        for number, path in enumerate(DECISIONS, start=1):
            assert path.name.startswith(f"{number:04}-"), path.name
            assert path.read_text().startswith(f"# {number:04}. "), path.name

    def test_fit_on_a_page(self):
        long = [
            path.name
            for path in DECISIONS
            if len(path.read_text().splitlines()) > MAX_LINES
        ]

        assert long == []

    def test_are_all_in_the_index(self):
        index = (ROOT / "docs/decisions/README.md").read_text()

        assert [path.name for path in DECISIONS if f"({path.name})" not in index] == []


class TestLinks:
    def test_lead_to_files_that_exist(self):
        pages = [
            *ROOT.glob("*.md"),
            *ROOT.glob("docs/**/*.md"),
            *ROOT.glob("src/**/*.md"),
        ]
        broken = [
            f"{page.relative_to(ROOT)}: {target}"
            for page in pages
            for target in LINK.findall(CODE.sub("", page.read_text()))
            if not (page.parent / target).exists()
        ]

        assert broken == []
