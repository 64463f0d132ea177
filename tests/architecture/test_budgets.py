"""No file outgrows a reader, and none is named for what it is not."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
FILES = [
    path.relative_to(ROOT)
    for folder in ("src", "tests", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
NAMES_OF_NOTHING = {"utils", "util", "common", "helpers", "helper", "base", "misc"} | {
    *("manager", "managers", "shared", "core", "lib", "stuff"),
}


class TestFiles:
    def test_fits_a_budget_of_400_lines(self):
        lines_of = {path: len((ROOT / path).read_text().splitlines()) for path in FILES}
        long = {str(p): n for p, n in sorted(lines_of.items()) if n > MAX_LINES}

        assert not long, f"these files have two subjects: {long}"

    def test_is_named_for_what_it_is_about(self):
        vague = [
            str(path)
            for path in FILES
            if NAMES_OF_NOTHING.intersection(path.with_suffix("").parts)
        ]

        assert not vague, f"these names say nothing: {vague}"
