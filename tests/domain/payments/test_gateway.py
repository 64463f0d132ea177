"""What the payment provider's answers mean, and what its silence means."""

import asyncio

import msgspec
import pytest

from holdfast.domain.payments import (
    NOTHING_DUE,
    ActionRequired,
    Authorized,
    Captured,
    Declined,
    PaymentOutcomeUnknown,
    PaymentUnavailable,
    UnknownPaymentMethod,
)
from holdfast.kernel.money import Money
from holdfast.platform.embedded.ports import free_port
from holdfast.resilience import Retry

PRICE = Money(1999, "EUR")
DEEP = b'{"id": ' + b"[" * 30_000


def charge(**changes: object) -> bytes:
    """A charge as the provider writes it."""
    return msgspec.json.encode(
        {
            "id": "ch_1",
            "key": "key-1",
            "status": "captured",
            "amount": 1999,
            "currency": "EUR",
            "reference": "HF-1",
            "decline_reason": None,
            **changes,
        }
    )


NOT_A_CHARGE = {
    "nothing": b"",
    "text": b"OK",
    "broken UTF-8": b'{"id": "\xff"}',
    "deep nesting": DEEP,
    "deep nesting beside it": charge()[:-1] + b', "x": ' + b"[" * 30_000,
    "another shape": b'{"status": "captured"}',
    "another status": charge(status="purple"),
    "a NUL in the id": charge(id="ch\x00"),
    "no id": charge(id=""),
    "an amount below nothing": charge(amount=-1),
    "more than there is money": charge(amount=10**18),
    "half an amount": charge(amount=1.5),
    "another alphabet for money": charge(currency="eur"),
    "more given back than taken": charge(refunded_amount=2000),
    "an action that is none": charge(status="requires_action"),
    "an action of another kind": charge(
        status="requires_action", next_action={"type": "dance", "url": "http://x"}
    ),
    "an action of script": charge(
        status="requires_action",
        next_action={"type": "redirect", "url": "javascript:alert(1)"},
    ),
    "an action with a line break": charge(
        status="requires_action",
        next_action={"type": "redirect", "url": "http://x/\r\nSet-Cookie: a"},
    ),
    "half a character": charge()[:-1] + b', "decline_reason": "\\ud800"}',
    "a line break after the id": charge(id="ch_1\n"),
    "a line break after the currency": charge(currency="EUR\n"),
    "an escape in the id": charge(id="ch\x1b[2J"),
    "a NUL in the reason": charge(status="declined", decline_reason="\x00"),
    "more than anybody says": charge(id="x" * 100_000),
}


@pytest.fixture
def pay(provider_at):
    """Charge 19.99 EUR to the key key-1 at a URL."""

    async def send(url, *, method="pm_card_ok", amount=PRICE):
        return await provider_at(url).charge(
            key="key-1", amount=amount, method=method, reference="HF-1"
        )

    return send


@pytest.fixture
def settle(provider_at):
    """Settle the key key-1 at a URL."""

    async def send(url, *, amount=PRICE):
        return await provider_at(url).settle(key="key-1", amount=amount)

    return send


@pytest.fixture
def nobody() -> str:
    return f"http://127.0.0.1:{free_port()}"


class TestCharge:
    async def test_a_captured_charge_is_known_by_its_reference(
        self, pay, payment_provider
    ):
        outcome = await pay(payment_provider.url)

        (made,) = payment_provider.get("/v1/charges")["items"]
        assert outcome == Captured(made["id"])
        assert (made["amount"], made["currency"]) == (1999, "EUR")
        assert (made["key"], made["reference"]) == ("key-1", "HF-1")

    @pytest.mark.parametrize(
        ("method", "reason"),
        [
            ("pm_card_declined", "card_declined"),
            ("pm_insufficient_funds", "insufficient_funds"),
        ],
    )
    async def test_a_declined_charge_says_why(
        self, pay, payment_provider, method, reason
    ):
        assert await pay(payment_provider.url, method=method) == Declined(reason)

    async def test_money_set_aside_is_not_captured(self, pay, says):
        url = await says((201, charge(status="authorized", captured_amount=0)))

        assert await pay(url) == Authorized("ch_1")

    async def test_a_buyer_who_has_to_do_something_is_sent_there(self, pay, says):
        action = {"type": "redirect", "url": "https://bank.example/3ds/ch_1?a=b"}
        waiting = charge(
            status="requires_action", captured_amount=0, next_action=action
        )

        assert await pay(await says((202, waiting))) == ActionRequired(
            "ch_1", "https://bank.example/3ds/ch_1?a=b"
        )

    async def test_a_method_nobody_knows_is_refused_uncharged(
        self, pay, payment_provider
    ):
        with pytest.raises(UnknownPaymentMethod) as refused:
            await pay(payment_provider.url, method="pm_shells")

        assert refused.value.payment_method == "pm_shells"
        assert payment_provider.get("/v1/charges")["items"] == []

    async def test_nothing_due_is_paid_without_asking(self, pay, settle, nobody):
        assert await pay(nobody, amount=Money(0, "EUR")) == NOTHING_DUE
        assert await settle(nobody, amount=Money(0, "EUR")) == NOTHING_DUE

    async def test_a_connection_nobody_takes_charged_nothing(self, pay, nobody):
        with pytest.raises(PaymentUnavailable):
            await pay(nobody)

    @pytest.mark.parametrize(
        "method", ["pm_timeout_after", "pm_error_after", "pm_garbage_after"]
    )
    async def test_a_charge_whose_answer_is_lost_is_found(
        self, pay, payment_provider, method
    ):
        outcome = await pay(payment_provider.url, method=method)

        (made,) = payment_provider.get("/v1/charges")["items"]
        assert outcome == Captured(made["id"])

    @pytest.mark.parametrize("method", ["pm_timeout_before", "pm_error", "pm_garbage"])
    async def test_what_is_not_certain_is_unknown(self, pay, payment_provider, method):
        with pytest.raises(PaymentOutcomeUnknown):
            await pay(payment_provider.url, method=method)

        assert payment_provider.get("/v1/charges")["items"] == []

    async def test_a_connection_cut_in_between_is_not_certain(
        self, pay, payment_provider
    ):
        payment_provider.misbehave(fail="reset")

        with pytest.raises(PaymentOutcomeUnknown):
            await pay(payment_provider.url)

    @pytest.mark.parametrize("body", NOT_A_CHARGE.values(), ids=NOT_A_CHARGE)
    async def test_nonsense_is_no_outcome(self, pay, says, body):
        url = await says((201, body))

        with pytest.raises(PaymentOutcomeUnknown):
            await pay(url)

    @pytest.mark.parametrize(
        ("announced", "seconds"),
        [("30", 30), ("9" * 400, 3600), ("soon", None), ("-1", None), ("", None)],
        ids=["seconds", "for ever", "words", "negative", "nothing"],
    )
    async def test_too_many_requests_charged_nothing_yet(
        self, pay, says, announced, seconds
    ):
        url = await says((429, charge(), {"Retry-After": announced}))

        with pytest.raises(PaymentUnavailable) as refused:
            await pay(url)

        assert refused.value.retry_after_seconds == seconds

    async def test_what_was_not_done_yet_is_done_when_the_provider_has_time(
        self, provider_at, says, asked
    ):
        waits = []

        async def sleep(seconds):
            waits.append(seconds)

        provider = provider_at(
            await says((429, b"", {"Retry-After": "2"}), (201, charge()))
        )
        provider.line.protect = Retry(repeatable=True, sleep=sleep)

        outcome = await provider.charge(
            key="key-1", amount=PRICE, method="pm_card_ok", reference="HF-1"
        )

        assert outcome == Captured("ch_1")
        assert len(asked) == 2
        assert waits[0] >= 2

    @pytest.mark.parametrize("status", [302, 401, 404, 422])
    async def test_a_refusal_we_do_not_understand_is_no_outcome(
        self, pay, says, status
    ):
        url = await says((status, charge()))

        with pytest.raises(PaymentOutcomeUnknown):
            await pay(url)

    @pytest.mark.parametrize(
        "other",
        [
            {"key": "key-2"},
            {"amount": 1998},
            {"currency": "USD"},
            {"captured_amount": 1998},
            {"status": "authorized", "amount": 1998},
        ],
    )
    async def test_a_charge_of_something_else_is_no_outcome(self, pay, says, other):
        url = await says((201, charge(**other)))

        with pytest.raises(PaymentOutcomeUnknown):
            await pay(url)

    async def test_a_provider_gone_after_an_unclear_answer_is_unknown(
        self, provider_at, says, nobody
    ):
        provider = provider_at(await says((500, b"")))

        async def hang_up(call):
            try:
                return await call()
            finally:
                provider.line.base = nobody

        provider.line.protect = hang_up

        with pytest.raises(PaymentOutcomeUnknown):
            await provider.charge(
                key="key-1", amount=PRICE, method="pm_card_ok", reference="HF-1"
            )

    async def test_once_sent_a_later_connection_refused_does_not_take_it_back(
        self, provider_at, says, nobody
    ):
        """The first attempt may have charged, though the last was never sent."""
        provider = provider_at(await says((500, b"")))

        async def twice(call):
            with pytest.raises(Exception, match="answered 500"):
                await call()
            provider.line.base = nobody
            return await call()

        provider.line.protect = twice

        with pytest.raises(PaymentOutcomeUnknown):
            await provider.charge(
                key="key-1", amount=PRICE, method="pm_card_ok", reference="HF-1"
            )

    async def test_a_caller_who_leaves_is_let_go(self, pay, payment_provider):
        payment_provider.misbehave(fail="hang")
        paying = asyncio.create_task(pay(payment_provider.url))
        await asyncio.sleep(0)

        paying.cancel()

        with pytest.raises(asyncio.CancelledError):
            await paying


class TestSettle:
    async def test_tells_what_became_of_a_charge(self, pay, settle, payment_provider):
        paid = await pay(payment_provider.url)

        assert await settle(payment_provider.url) == paid

    async def test_a_charge_that_never_came_can_never_come(
        self, pay, settle, payment_provider
    ):
        outcome = await settle(payment_provider.url)

        assert outcome == Declined("canceled")
        assert await pay(payment_provider.url) == Declined("canceled")
        assert payment_provider.get("/v1/summary")["captured"]["count"] == 0

    async def test_a_charge_that_comes_between_the_two_questions_stands(
        self, settle, says
    ):
        url = await says((404, b""), (200, charge()))

        assert await settle(url) == Captured("ch_1")

    async def test_without_an_answer_nothing_is_known(self, settle, nobody):
        with pytest.raises(PaymentOutcomeUnknown):
            await settle(nobody)

    @pytest.mark.parametrize(
        "answer",
        [(500, b""), (200, b"OK"), (200, DEEP), (403, b""), (200, charge(amount=1))],
        ids=["500", "text", "deep", "403", "amount"],
    )
    async def test_an_answer_that_is_none_settles_nothing(self, settle, says, answer):
        url = await says(answer)

        with pytest.raises(PaymentOutcomeUnknown):
            await settle(url)

    async def test_a_charge_that_waits_for_its_buyer_is_let_wait(
        self, settle, says, asked
    ):
        action = {"type": "redirect", "url": "https://bank.example/3ds"}
        waiting = charge(status="requires_action", next_action=action)

        outcome = await settle(await says((200, waiting)))

        assert outcome == ActionRequired("ch_1", "https://bank.example/3ds")
        assert asked == ["GET /v1/charges/by-key/key-1"]

    @pytest.mark.parametrize(
        ("last", "outcome"),
        [
            (charge(status="canceled"), Declined("canceled")),
            (charge(), Captured("ch_1")),
        ],
        ids=["given up", "the buyer was first"],
    )
    async def test_a_charge_given_up_on_is_ended_by_the_provider(
        self, provider_at, says, asked, last, outcome
    ):
        action = {"type": "redirect", "url": "https://bank.example/3ds"}
        waiting = charge(status="requires_action", next_action=action)
        provider = provider_at(await says((200, waiting), (200, last)))

        ended = await provider.settle(key="key-1", amount=PRICE, give_up=True)

        assert ended == outcome
        assert asked[1] == "POST /v1/charges/by-key/key-1/cancel"

    async def test_a_cancel_that_fails_settles_nothing(self, settle, says):
        url = await says((404, b""), (500, b""))

        with pytest.raises(PaymentOutcomeUnknown):
            await settle(url)
