"""Capture, void and refund: what the provider's answers mean, and its silence."""

import msgspec
import pytest

from holdfast.domain.payments import (
    Captured,
    Declined,
    PaymentOutcomeUnknown,
    PaymentUnavailable,
    RefundFailed,
    RefundPending,
    RefundSucceeded,
    Voided,
)
from holdfast.kernel.money import Money
from holdfast.platform.embedded.ports import free_port

PRICE = Money(1999, "EUR")


def charge(status: str, **changes: object) -> bytes:
    return msgspec.json.encode(
        {
            "id": "ch_1",
            "key": "key-1",
            "status": status,
            "amount": 1999,
            "currency": "EUR",
            **changes,
        }
    )


def refund(**changes: object) -> bytes:
    return msgspec.json.encode(
        {
            "id": "re_1",
            "key": "re-key",
            "charge_key": "key-1",
            "status": "succeeded",
            "amount": 500,
            "currency": "EUR",
            "reason": "damaged",
            "failure_reason": None,
            **changes,
        }
    )


TOMBSTONE = refund(status="canceled", amount=0, currency="XXX", charge_key="")


def problem(slug: str) -> bytes:
    return msgspec.json.encode({"type": f"/problems/{slug}", "title": "No."})


@pytest.fixture
def nobody() -> str:
    return f"http://127.0.0.1:{free_port()}"


class TestCapture:
    async def test_takes_what_was_set_aside(self, provider_at, says, asked):
        provider = provider_at(await says((200, charge("captured"))))

        assert await provider.capture(key="key-1", amount=PRICE) == Captured("ch_1")
        assert asked == ["POST /v1/charges/by-key/key-1/capture"]

    async def test_takes_less_and_leaves_the_rest(self, provider_at, says):
        less = charge("captured", captured_amount=999)
        provider = provider_at(await says((200, less)))

        outcome = await provider.capture(key="key-1", amount=Money(999, "EUR"))

        assert outcome == Captured("ch_1")

    async def test_what_was_taken_before_is_found(self, provider_at, says):
        provider = provider_at(
            await says(
                (409, problem("charge-not-capturable")), (200, charge("captured"))
            )
        )

        assert await provider.capture(key="key-1", amount=PRICE) == Captured("ch_1")

    async def test_what_was_released_cannot_be_taken(self, provider_at, says):
        provider = provider_at(
            await says(
                (409, problem("charge-not-capturable")), (200, charge("canceled"))
            )
        )

        assert await provider.capture(key="key-1", amount=PRICE) == Declined("canceled")

    @pytest.mark.parametrize(
        "answers",
        [
            [(500, b"")],
            [(200, b"OK")],
            [(200, charge("captured", captured_amount=1))],
            [(200, charge("captured", key="key-2"))],
            [(200, charge("captured", currency="USD"))],
            [(200, charge("authorized"))],
            [(409, b""), (200, charge("authorized"))],
            [(404, b""), (404, b"")],
        ],
        ids=["500", "text", "amount", "key", "currency", "not", "409", "404"],
    )
    async def test_what_is_not_certain_is_unknown(self, provider_at, says, answers):
        provider = provider_at(await says(*answers))

        with pytest.raises(PaymentOutcomeUnknown):
            await provider.capture(key="key-1", amount=PRICE)

    async def test_a_provider_out_of_reach_took_nothing(self, provider_at, nobody):
        with pytest.raises(PaymentUnavailable):
            await provider_at(nobody).capture(key="key-1", amount=PRICE)


class TestVoid:
    async def test_releases_what_was_set_aside(self, provider_at, says, asked):
        provider = provider_at(await says((200, charge("canceled"))))

        assert await provider.void(key="key-1") == Voided()
        assert asked == ["POST /v1/charges/by-key/key-1/void"]

    async def test_says_when_it_was_taken_before(self, provider_at, says):
        provider = provider_at(
            await says((409, problem("charge-not-voidable")), (200, charge("captured")))
        )

        assert await provider.void(key="key-1") == Captured("ch_1")

    @pytest.mark.parametrize(
        "answers",
        [
            [(503, b"")],
            [(200, b"{}")],
            [(200, charge("canceled", key="key-2"))],
            [(409, b""), (200, charge("authorized"))],
            [(404, b""), (404, b"")],
        ],
        ids=["503", "shape", "key", "still set aside", "404"],
    )
    async def test_what_is_not_certain_is_unknown(self, provider_at, says, answers):
        provider = provider_at(await says(*answers))

        with pytest.raises(PaymentOutcomeUnknown):
            await provider.void(key="key-1")


@pytest.fixture
def give_back(provider_at):
    """Refund 5.00 EUR of the charge key-1 under the key re-key, at a URL."""

    async def send(url):
        return await provider_at(url).refund(
            key="re-key",
            charge_key="key-1",
            amount=Money(500, "EUR"),
            reason="damaged",
        )

    return send


class TestRefund:
    @pytest.mark.parametrize(
        ("said", "outcome"),
        [
            ({}, RefundSucceeded("re_1")),
            ({"status": "pending"}, RefundPending("re_1")),
            ({"status": "failed", "failure_reason": "closed"}, RefundFailed("closed")),
            ({"status": "failed"}, RefundFailed("failed")),
            ({"status": "canceled"}, RefundFailed("canceled")),
        ],
        ids=["succeeded", "pending", "failed", "failed without a word", "canceled"],
    )
    async def test_says_what_became_of_it(self, give_back, says, said, outcome):
        assert await give_back(await says((201, refund(**said)))) == outcome

    @pytest.mark.parametrize(
        ("status", "slug"),
        [
            (409, "refund-exceeds-charge"),
            (409, "charge-not-refundable"),
            (404, "charge-not-found"),
        ],
    )
    async def test_a_refusal_that_names_its_reason_gave_nothing_back(
        self, give_back, says, status, slug
    ):
        outcome = await give_back(await says((status, problem(slug))))

        assert outcome == RefundFailed(slug.replace("-", "_"))

    @pytest.mark.parametrize(
        "answer",
        [
            (500, b""),
            (201, b"OK"),
            (201, b"[" * 30_000),
            (201, refund(key="other")),
            (201, refund(charge_key="other")),
            (201, refund(amount=501)),
            (201, refund(currency="USD")),
            (201, refund(id="re\x00")),
            (404, b"Not found"),
            (409, problem("something-else")),
            (422, problem("idempotency-key-reused")),
            (301, refund()),
        ],
        ids=[
            *("500", "text", "deep", "key", "charge", "amount", "currency", "NUL"),
            *("404", "409", "422", "elsewhere"),
        ],
    )
    async def test_what_is_not_certain_is_unknown(self, give_back, says, answer):
        with pytest.raises(PaymentOutcomeUnknown):
            await give_back(await says(answer))

    async def test_a_provider_out_of_reach_gave_nothing_back(self, give_back, nobody):
        with pytest.raises(PaymentUnavailable):
            await give_back(nobody)


@pytest.fixture
def ask_about_refund(provider_at):
    async def send(url):
        return await provider_at(url).settle_refund(
            key="re-key", charge_key="key-1", amount=Money(500, "EUR")
        )

    return send


class TestSettleRefund:
    async def test_tells_what_became_of_it(self, ask_about_refund, says, asked):
        url = await says((200, refund()))

        assert await ask_about_refund(url) == RefundSucceeded("re_1")
        assert asked == ["GET /v1/refunds/by-key/re-key"]

    async def test_one_that_never_came_can_never_come(
        self, ask_about_refund, says, asked
    ):
        url = await says((404, b""), (200, TOMBSTONE))

        assert await ask_about_refund(url) == RefundFailed("canceled")
        assert asked[1] == "POST /v1/refunds/by-key/re-key/cancel"

    @pytest.mark.parametrize(
        "answers",
        [
            [(500, b"")],
            [(404, b""), (500, b"")],
            [(403, b"")],
            [(404, b""), (409, b"")],
        ],
        ids=["500", "cancel fails", "403", "cancel refused"],
    )
    async def test_without_an_answer_nothing_is_known(
        self, ask_about_refund, says, answers
    ):
        with pytest.raises(PaymentOutcomeUnknown):
            await ask_about_refund(await says(*answers))

    async def test_nobody_there_settles_nothing(self, ask_about_refund, nobody):
        with pytest.raises(PaymentOutcomeUnknown):
            await ask_about_refund(nobody)


def page(*items: bytes, after: str | None = None) -> bytes:
    return msgspec.json.encode(
        {"items": [msgspec.Raw(item) for item in items], "next": after}
    )


class TestLists:
    async def test_gives_charges_as_the_provider_has_them(
        self, provider_at, says, asked, clock
    ):
        provider = provider_at(
            await says((200, page(charge("captured"), charge("declined"), after="a b")))
        )

        found = await provider.charges(created_from=clock(), after="x&y")

        assert [one.captured for one in found.items] == [1999, 0]
        assert found.next == "a b"
        (address,) = asked
        assert address.startswith("GET /v1/charges?limit=100&created_from=2026-11-27T")
        assert address.endswith("&after=x%26y")

    async def test_gives_refunds(self, provider_at, says):
        provider = provider_at(await says((200, page(refund(), TOMBSTONE))))

        found = await provider.refunds()

        assert [one.status for one in found.items] == ["succeeded", "canceled"]
        assert found.next is None

    @pytest.mark.parametrize(
        "answer",
        [
            (500, b""),
            (200, b"[]"),
            (200, page(b"{}")),
            (200, page(refund(), after="here")),
            (200, page(after="there")),
            (404, b""),
        ],
        ids=["500", "a list", "an item", "a circle", "nothing and more", "404"],
    )
    async def test_a_list_that_cannot_be_read_is_no_list(
        self, provider_at, says, answer
    ):
        provider = provider_at(await says(answer))

        with pytest.raises(PaymentOutcomeUnknown):
            await provider.refunds(after="here")


class TestObserving:
    async def test_tells_what_came_of_each_call_and_how_long_it_took(
        self, provider_at, says
    ):
        told = []
        provider = provider_at(await says((200, charge("canceled")), (500, b"")))
        provider._observe = lambda *seen: told.append(seen)

        await provider.void(key="key-1")
        with pytest.raises(PaymentOutcomeUnknown):
            await provider.void(key="key-1")

        assert [seen[:2] for seen in told] == [("void", "voided"), ("void", "unknown")]
        assert all(seconds >= 0 for _, _, seconds in told)
