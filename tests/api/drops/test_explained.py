"""What ``holdfast explain`` is told of whoever wants what is behind a door."""

from contextlib import suppress

import pytest

from holdfast.cli.explain import meaning_of
from holdfast.domain import drops
from holdfast.domain.identity import Anonymous
from holdfast.platform import decisions

_REFUSALS = (
    drops.AdmissionRequired,
    drops.DropLimitReached,
    drops.DropNotOpen,
    drops.TicketNotValid,
)


@pytest.fixture
def told(shop):
    """The decisions about so many units with such a ticket."""

    def ask(units: int, ticket: str | None) -> list[str]:
        (drop,) = [door.drop for door in shop.doors._doors.values()]
        scope: dict[str, list[str]] = {}
        token = decisions.begin(scope)
        with suppress(*_REFUSALS):
            shop.doors.admissions({drop.variant_ids[0]: units}, ticket, Anonymous())
        decisions.end(token)
        (decision,) = scope["holdfast.decisions"]
        assert decision.startswith(f"drop:{drop.id}=")
        assert meaning_of(decision)[1]
        return decision.partition("=")[2]

    return ask


class TestDecision:
    async def test_says_why_nobody_was_let_in(self, announce, told) -> None:
        run = await announce()
        before = told(1, None)
        await run.open()
        (waiting,) = await run.tickets(1)
        forged = waiting[:-2] + ("AA" if waiting[-2:] != "AA" else "BB")

        assert before == "not-open"
        assert told(1, None) == told(1, waiting) == "waiting"
        assert told(1, forged) == "forged"

    async def test_says_who_was_let_in_and_for_how_many(self, announce, told) -> None:
        run = await announce(max_units=2)
        await run.open()
        ticket = await run.admitted()

        assert told(2, ticket) == "admitted"
        assert told(3, ticket) == "limit"
