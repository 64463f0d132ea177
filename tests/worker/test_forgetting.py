"""What the worker forgets by the clock, and what it keeps."""

from datetime import timedelta

from holdfast.domain import identity
from holdfast.domain.identity import Origin
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
