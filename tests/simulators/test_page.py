"""The page that shows a simulator's state to a person."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from holdfast.simulators.page import Markup, tag


class Reader(HTMLParser):
    """Notes each element, and the one that is open where the document ends."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


class TestTag:
    def test_escapes_text_and_attributes_but_not_what_it_made(self):
        drawn = tag("a", tag("b", "<&>"), '"', href='"><script>')

        assert drawn == (
            '<a href="&quot;&gt;&lt;script&gt;"><b>&lt;&amp;&gt;</b>&quot;</a>'
        )
        assert isinstance(drawn, Markup)


class TestPage:
    async def test_shows_counts_money_and_the_last_fifty_charges(self, payment, charge):
        for number in range(60):
            await charge(f"key-{number:02}", amount=100)
        await charge("key-no", payment_method="pm_card_declined")
        await payment.post("/v1/charges/by-key/key-gone/cancel")

        text = (await payment.get("/")).text

        assert '<th scope="row">captured</th><td>60</td>' in text
        assert '<th scope="row">declined</th><td>1</td>' in text
        assert '<th scope="row">canceled</th><td>1</td>' in text
        assert '<th scope="row">EUR</th><td>6000</td>' in text
        assert "declined: card_declined" in text
        keys = re.findall(r">(key-[a-z0-9]+)<", text)
        assert keys[:3] == ["key-gone", "key-no", "key-59"]
        assert keys[-1] == "key-12"
        assert len(keys) == 50

    async def test_escapes_what_callers_wrote(self, payment, charge):
        await charge("<i>key", reference="<script>alert(1)</script>")

        text = (await payment.get("/")).text

        assert "<script" not in text
        assert "<i>" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text

    async def test_shows_the_scenario_that_is_on(self, payment, charge):
        await payment.put(
            "/control/scenario",
            json={"fail": "error", "count": 3, "latency_ms": {"min": 1, "max": 7}},
        )
        await charge()

        text = (await payment.get("/")).text

        assert '<th scope="row">fail</th><td>error</td>' in text
        assert '<th scope="row">count</th><td>3</td>' in text
        assert '<th scope="row">latency ms</th><td>min 1, max 7</td>' in text
        assert '<th scope="row">of these struck</th><td>1</td>' in text

    async def test_the_carrier_shows_its_quotes(self, carrier):
        await carrier.put("/control/scenario", json={"fail": "none"})
        await carrier.post(
            "/v1/rates", json={"country": "FR", "weight_grams": 1, "currency": "EUR"}
        )

        text = (await carrier.get("/")).text

        assert '<th scope="row">given</th><td>1</td>' in text
        assert '<th scope="row">FR</th><td>1</td><td>EUR</td><td>390</td>' in text

    async def test_is_whole_and_needs_nothing_from_elsewhere(self, either):
        response = await either.get("/")

        reader = Reader()
        reader.feed(response.text)
        assert response.text.startswith("<!doctype html>")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert reader.open == []
        linked = {"src", "href", "srcset", "action"}
        assert not any(linked & attributes.keys() for _, attributes in reader.tags)
        assert "url(" not in response.text
        style = response.text.split("<style>")[1].split("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = response.headers["content-security-policy"]
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")

    async def test_can_be_read_with_a_screen_reader_and_a_keyboard(self, either):
        text = (await either.get("/")).text

        reader = Reader()
        reader.feed(text)
        tags = [name for name, _ in reader.tags]
        assert ("html", {"lang": "en"}) in reader.tags
        assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
        assert tags.count("caption") == tags.count("table") > 0
        assert all(
            "scope" in attributes for tag, attributes in reader.tags if tag == "th"
        )
        regions = [attributes for tag, attributes in reader.tags if tag == "div"]
        assert all(
            region["aria-label"] and region["tabindex"] == "0" for region in regions
        )

    async def test_shows_refunds_webhooks_and_the_clock(
        self, hooked, charge, refund, receiver
    ):
        scenario = {"before_answer": True, "duplicate": 1}
        await hooked.put("/control/webhook/scenario", json=scenario)
        await charge()
        await refund()
        await charge("key-3", payment_method="pm_card_3ds")

        text = (await hooked.get("/")).text

        assert '<th scope="row">EUR</th><td>1999</td><td>0</td><td>500</td>' in text
        assert '<th scope="row">refund-1</th>' in text
        assert '<td data-label="Refunded">500</td>' in text
        assert '<th scope="row">now</th><td>2026-11-27T08:00:00.000000Z</td>' in text
        assert '<th scope="row">it</th><td>stands still</td>' in text
        assert '<th scope="row">duplicate</th><td>1</td>' in text
        assert text.count("/control/webhooks/evt_") == 3
        assert '<td data-label="Type">refund.succeeded</td>' in text
        assert re.search(r'<a href="/3ds/ch_\w+">requires action</a>', text)

    async def test_the_carrier_shows_where_its_parcels_are(self, carrier, ship):
        number = (await ship()).json()["tracking_number"]
        await carrier.post("/v1/shipments/by-key/key-2/cancel")

        text = (await carrier.get("/")).text

        assert f'<a href="/v1/tracking/{number}">{number}</a>' in text
        assert "in_transit at 2026-11-27T14:00:00.000000Z" in text
        assert '<th scope="row">created</th><td>1</td>' in text
        assert '<th scope="row">canceled</th><td>1</td>' in text
        assert 'label.pdf">PDF</a>' in text
