import re

import pytest

from holdfast.api import problems
from holdfast.api.pages import page_of
from holdfast.api.routes import ROUTES

LOADED = re.compile(r'(?:src|href)="([^"]+)"')


@pytest.fixture
def site(edge):
    return edge(*ROUTES)


class TestDocs:
    async def test_loads_only_what_this_process_serves(self, site):
        page = await site.client.get("/docs")

        assert page.headers["content-type"] == "text/html; charset=utf-8"
        loaded = LOADED.findall(page.text)
        assert len(loaded) >= 4
        for address in loaded:
            assert address.startswith("/")
            assert (await site.client.get(address)).status_code == 200, address

    async def test_forbids_the_browser_to_load_anything_else(self, site):
        policy = (await site.client.get("/docs")).headers["content-security-policy"]

        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "http" not in policy

    async def test_asks_nobody_to_judge_the_document(self, site):
        script = await site.client.get("/docs/assets/docs.js")

        assert "validatorUrl: null" in script.text
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"

    @pytest.mark.parametrize(
        "name", ["docs.html", "README.md", "..%2Fapp.py", "swagger-ui%2FLICENSE"]
    )
    async def test_gives_out_no_other_files(self, site, name):
        assert (await site.client.get(f"/docs/assets/{name}")).status_code == 404


class TestProblem:
    async def test_has_the_page_that_a_problem_leads_to(self, site):
        problem = (await site.client.get("/nowhere")).json()

        page = await site.client.get(problem["type"])

        assert page.status_code == 200
        assert f"<h1>{problem['title']}</h1>" in page.text
        assert "What to do" in page.text

    async def test_has_one_for_what_is_our_fault(self, site):
        assert (await site.client.get("/problems/internal-error")).status_code == 200

    @pytest.mark.parametrize(
        "slug", ["nothing", "Out-Of-Stock", "out_of_stock", "a%20b"]
    )
    async def test_has_none_for_what_does_not_exist(self, site, slug):
        answer = await site.client.get(f"/problems/{slug}")

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/page-not-found"

    def test_names_every_member_of_the_problem(self):
        page = page_of(problems.slug_of(problems.HeadTooLarge)) or ""

        assert "<code>limit_bytes</code>" in page
        assert "<code>limit_fields</code>" in page
