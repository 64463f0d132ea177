from datetime import UTC, datetime

import pytest
from cases import cases

from holdfast.cli.circuits import end_of
from holdfast.platform import controls
from holdfast.platform.settings import BadSettings

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


class TestForce:
    async def test_is_what_every_process_will_read(self, holdfast, database):
        said = await holdfast("circuits", "force", "carrier", "forced_open")

        assert (said.code, said.err) == (0, "")
        (control,) = await controls.browse(database)
        assert (control.name, control.value) == (
            "circuit.carrier",
            {"mode": "forced_open"},
        )
        kinds = await database.fetchval("SELECT kind FROM security_events")
        assert kinds == "protection.changed"

    async def test_lasts_as_long_as_is_said(self, holdfast, database):
        said = await holdfast("circuits", "force", "mail", "disabled", "--for", "10m")

        (control,) = await controls.browse(database)
        assert control.value["until"] in said.out
        assert control.value["until"] > control.updated_at.isoformat()[:16]

    @cases(
        ("arguments", "complaint"),
        [
            (["fax", "disabled"], "no dependency 'fax'"),
            (["mail", "ajar"], "and not 'ajar'"),
            (["mail", "open"], "and not 'open'"),
            (["mail", "disabled", "--for", "soon"], "a span such as"),
        ],
    )
    async def test_refuses_what_makes_no_sense(
        self, holdfast, database, arguments, complaint
    ):
        said = await holdfast("circuits", "force", *arguments)

        assert said.code == 1
        assert complaint in said.err
        assert await controls.browse(database) == []


class TestList:
    async def test_shows_what_operators_have_said(self, holdfast):
        await holdfast("circuits", "force", "payment", "metrics_only")

        rows = [
            line.split()
            for line in (await holdfast("circuits", "list")).out.splitlines()
        ]

        assert ["payment", "metrics_only", "command_line"] in rows
        assert ["carrier", "its", "own"] in rows


class TestRelease:
    async def test_leaves_it_to_itself(self, holdfast, database):
        await holdfast("circuits", "force", "payment", "disabled")

        released = await holdfast("circuits", "release", "payment")
        again = await holdfast("circuits", "release", "payment")

        assert "left to itself" in released.out
        assert "Nobody had said anything" in again.out
        assert await controls.browse(database) == []


class TestEndOf:
    @pytest.mark.parametrize(
        ("lasts", "end"),
        [
            ("30s", NOW.replace(second=30)),
            ("10m", NOW.replace(minute=10)),
            ("2h", NOW.replace(hour=10)),
            ("1d", NOW.replace(day=28)),
        ],
    )
    def test_is_so_much_later(self, lasts, end):
        assert end_of(lasts, NOW) == end

    @pytest.mark.parametrize("lasts", ["", "0s", "10", "-1m", "1w", "1h30m"])
    def test_needs_a_span(self, lasts):
        with pytest.raises(BadSettings, match="span"):
            end_of(lasts, NOW)
