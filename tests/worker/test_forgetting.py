"""What the worker forgets by the clock, and what it keeps."""

from datetime import timedelta

from holdfast.domain import identity, notifications
from holdfast.domain.identity import Origin
from holdfast.domain.notifications import Message
from holdfast.kernel.ids import new_id
from holdfast.worker import schedule
from holdfast.worker.metrics import Metrics
from holdfast.worker.schedule import timers


class TestSecurityEvents:
    async def test_are_kept_for_400_days(self, database, vault, clock, monkeypatch):
        monkeypatch.setattr(schedule, "TIDY_AT_ONCE", 2)
        made = timers(database, settle=None, clock=clock, metrics=Metrics())
        (timer,) = [t for t in made if t.name == "forget_security_events"]
        async with database.transaction() as tx:
            for days in (450, 402, 401, 399, 0):
                await identity.record(
                    *(tx, vault, "sign_in.failed"),
                    actor="anonymous",
                    origin=Origin(),
                    at=clock() - timedelta(days=days),
                )

        await timer.run()

        kept = await identity.events(database, vault, after=None, limit=9)
        assert [(clock() - event.happened_at).days for event in kept.items] == [0, 399]


class TestEmails:
    async def test_say_what_they_said_for_400_days(
        self, database, vault, clock, monkeypatch
    ):
        monkeypatch.setattr(schedule, "TIDY_AT_ONCE", 2)
        made = timers(database, settle=None, clock=clock, metrics=Metrics())
        (timer,) = [t for t in made if t.name == "forget_emails"]
        events = {days: new_id() for days in (450, 402, 401, 399, 0)}

        async def write(days):
            async with database.transaction() as tx:
                return await notifications.add(
                    *(tx, vault, Message("ada@example.com", str(days), "")),
                    event_id=events[days],
                    account_id=new_id(),
                    at=clock() - timedelta(days=days),
                )

        for days in events:
            await write(days)

        await timer.run()

        kept = await notifications.latest(database, vault, limit=9)
        assert {mail.subject for mail in kept} == {"0", "399"}
        told = "SELECT count(*) FROM emails WHERE account_id IS NOT NULL"
        assert await database.fetchval(told) == 2
        # Its event, should it come again, has none written, and none sent.
        again = await write(450)
        assert (again.recipient, again.sent_at) == ("", clock())
