"""A sign-in with another site, in any line of a log: code, state, our secret."""

import io
import json

from elsewhere import SECRET

from holdfast.platform.telemetry import AccessLog


class TestLogs:
    async def test_hold_nothing_that_passes_between_the_sites(
        self, shop, liar, a_browser, listener, log
    ):
        lines = io.BytesIO()
        shop.access_log = AccessLog("json", lines)
        host = liar.issuer.removeprefix("http://")
        browser = await a_browser(hosts=(host,))
        said = set()
        for different in ({}, {"state": "of-another"}, {"error": "no-thank-you"}):
            await liar.come_back(browser, code="a-code-of-theirs", **different)
            said |= {liar.requests["state"], liar.requests["nonce"]}
            if different:
                continue
            said |= {*liar.id_token().split("."), browser.cookie("pending")}
        said.add(liar.redeemed[1]["code_verifier"])
        liar.answers["/token"] = (500, b'{"code": "a-code-of-theirs"}')
        await liar.come_back(browser, code="a-code-of-theirs")
        liar.answers["/token"] = (400, SECRET.encode())
        await liar.come_back(browser, code="a-code-of-theirs")

        await shop.noted()
        shop.access_log.flush()
        written = lines.getvalue().decode() + json.dumps(log())

        assert written.count('"path"') >= 10
        secrets = {SECRET, "a-code-of-theirs", "of-another", "no-thank-you", *said}
        assert [each for each in secrets if each in written] == []
        assert "mallory@" not in written
