"""``holdfast reconcile``: what it says, and how it ends."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.cli import reconcile
from holdfast.platform.settings import BadSettings

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


@pytest.fixture
def command(monkeypatch, settings, capsys):
    """Run the command on the test's shop; returns its exit code and what it said."""
    for name, value in settings.raw.items():
        monkeypatch.setenv(name, value)

    async def run(*, as_json=False, since="30d"):
        code = 0
        # The command has a loop of its own.
        try:
            await asyncio.to_thread(reconcile.run, since, as_json=as_json)
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def foreign(payment_provider):
    """A charge at the provider that is nobody's here."""
    payment_provider.post(
        "/v1/charges",
        json={
            "amount": 1999,
            "currency": "EUR",
            "payment_method": "pm_card_ok",
            "reference": "elsewhere",
        },
        headers={"Idempotency-Key": "by-hand"},
    )


class TestRun:
    async def test_of_books_that_agree_ends_well(self, command, database):
        code, said, _ = await command()

        assert code == 0
        assert "0 charges, 0 refunds and 0 paid orders compared" in said
        assert "The books agree." in said

    @pytest.mark.usefixtures("foreign")
    async def test_a_difference_is_shown_and_ends_with_1(self, command, database):
        code, said, _ = await command()

        assert code == 1
        assert "unknown_charge" in said
        assert "by-hand" in said
        assert "1 left to look at" in said

    @pytest.mark.usefixtures("foreign")
    async def test_is_for_programs_too(self, command, database):
        code, said, _ = await command(as_json=True)

        found = json.loads(said)
        assert (code, found["open"], found["charges"]) == (1, 1, 1)
        (item,) = found["items"]
        assert (item["kind"], item["subject"]) == ("unknown_charge", "by-hand")
        assert item["detail"]["amount"] == 1999

    async def test_a_provider_that_does_not_answer_ends_with_2(
        self, command, database, payment_provider
    ):
        payment_provider.misbehave(fail="error", on=["lookup"])

        code, said, complaint = await command()

        assert (code, said) == (2, "")
        assert complaint == "holdfast: the payment provider did not answer\n"

    async def test_without_a_provider_it_says_what_is_missing(
        self, command, database, monkeypatch
    ):
        monkeypatch.delenv("HOLDFAST_PAYMENT_URL")

        with pytest.raises(BadSettings, match="HOLDFAST_PAYMENT_URL"):
            await command()


class TestBeginning:
    @pytest.mark.parametrize(
        ("since", "start"),
        [
            ("2d", NOW - timedelta(days=2)),
            ("12h", NOW - timedelta(hours=12)),
            ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
            ("2026-11-01T10:00:00+00:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ],
    )
    def test_is_a_span_or_a_date(self, since, start):
        assert reconcile.beginning(since, NOW) == start

    @pytest.mark.parametrize(
        "since", ["", "0d", "-1d", "2w", "yesterday", "123456d", "2d\n"]
    )
    def test_anything_else_is_refused(self, since):
        with pytest.raises(BadSettings, match="--since"):
            reconcile.beginning(since, NOW)
