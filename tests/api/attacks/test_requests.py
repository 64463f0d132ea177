"""Attacks by requests of clients that are odd, edited, or carried to another place."""

from urllib.parse import quote

import pytest

FORMS = ("/sign-in", "/sign-up", "/sign-up/confirm", "/password/forgot")


class TestOddRequest:
    @pytest.mark.parametrize("path", FORMS)
    @pytest.mark.parametrize(
        "query",
        [
            "client_id=%00&redirect_uri=x",
            "client_id={app}&redirect_uri=%00",
            "client_id=%ff&redirect_uri=x",
            "client_id=x&client_id={app}",
            "&".join(f"p{n}=1" for n in range(100)),
        ],
        ids=("nul", "nul-after", "no-utf-8", "twice", "many"),
    )
    async def test_carried_to_another_page_names_nobody_and_breaks_nothing(
        self, browser, app, path, query
    ):
        to = "/oauth/authorize?" + query.format(app=app.id)
        answer = await browser.client.get(f"{path}?return_to={quote(to, safe='')}")

        assert answer.status_code == 200
        assert "Weather" not in answer.text
