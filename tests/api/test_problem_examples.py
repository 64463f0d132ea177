"""The examples on the pages of problems are problems of that page."""

import json
import re
from pathlib import Path

import pytest

from holdfast.api import problems

PAGES = sorted(Path(problems.__file__).with_name("problem_pages").glob("*.md"))
EXAMPLE = re.compile(r"```json\n(.*?)```", re.DOTALL)
WITH_EXAMPLES = [page for page in PAGES if EXAMPLE.search(page.read_text("utf-8"))]


class TestExample:
    @pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.stem)
    def test_is_a_problem_of_its_page(self, page):
        text = page.read_text("utf-8")

        for example in EXAMPLE.findall(text):
            problem = json.loads(example)
            assert problem["type"] == f"/problems/{page.stem}"
            assert f"# {problem['title']}" == text.partition("\n")[0]
            assert f"status {problem['status']}." in text
