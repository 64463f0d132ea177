"""A provider that wants fewer calls gets fewer, and is not taken for broken."""

import pytest

from holdfast.domain.payments import PaymentOutcomeUnknown, PaymentUnavailable
from holdfast.kernel.money import Money
from holdfast.platform.circuits import Circuits
from holdfast.platform.dependencies import PAYMENT
from holdfast.platform.settings import Settings
from holdfast.resilience.circuit import State
from holdfast.workflows.providers import providers

PRICE = Money(1999, "EUR")


class TestPushback:
    @pytest.mark.parametrize("answer", [429, 503])
    async def test_a_provider_that_asks_for_time_is_not_given_up_on(
        self, session, says, answer
    ):
        settings = Settings.read(
            {
                "HOLDFAST_PAYMENT_URL": await says((answer, b"", {"Retry-After": "9"})),
                "HOLDFAST_CARRIER_URL": "http://127.0.0.1:1",
            }
        )
        circuits = Circuits()
        provider = providers(settings, session, circuits=circuits).payments
        outcomes = set()
        for number in range(30):
            try:
                await provider.charge(
                    key=f"key-{number}", amount=PRICE, method="pm", reference="HF-1"
                )
            except (PaymentUnavailable, PaymentOutcomeUnknown) as error:
                outcomes.add(type(error))

        assert circuits[PAYMENT].breaker.state is State.CLOSED
        # It may have acted before it said 503, and has not when it said 429.
        first = PaymentUnavailable if answer == 429 else PaymentOutcomeUnknown
        assert first in outcomes
        # By now some calls are not sent at all, which is certain to have done nothing.
        assert outcomes <= {first, PaymentUnavailable}
