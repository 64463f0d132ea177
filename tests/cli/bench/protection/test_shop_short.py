"""Each measurement of a whole shop in its shortest form: it runs, and tells figures.

What the figures are says the machine, and beside other tests it says little: so the
peak is given, far below any, and nothing is made of what was missed or void.
"""

import tempfile

import psutil
import pytest

from holdfast.cli.bench.protection import isolation, layers, plan, recovery, shop
from holdfast.cli.bench.protection.rig import Cores, Rig
from holdfast.cli.bench.protection.shop_load import PROXY, Opened
from holdfast.platform.settings import Settings

SECONDS = 0.5
PEAK = 40.0


@pytest.fixture
def rig(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(plan, "MAX_LATE_MS", 1_000.0)
    told = []
    yield Rig(
        SECONDS,
        Settings.from_environment().raw,
        Cores.of_this_machine(),
        told.append,
        connections=100,
        known={shop.PEAK: PEAK},
    )
    assert told
    assert not any(tmp_path.iterdir())
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(process.info["cmdline"] or ())
    ]


@pytest.mark.slow
class TestMall:
    async def test_answers_all_that_people_want_of_a_shop(self, rig):
        with rig.shop(**PROXY) as instance:
            async with Opened(instance, rig) as mall:
                came = await recovery.measured(mall, PEAK)
                costs = await shop.costs_of(mall, PEAK)

        before, flood, after = came.observed.report.phases
        for phase in (before, flood, after):
            for kind in phase.kinds:
                assert kind.due > 0 or kind.name == "checkout"
                assert kind.errors == {}
        assert flood.due == pytest.approx(10 * PEAK * SECONDS * 7.5, rel=0.05)
        assert before.kind("browse").ok > 0
        assert came.in_progress > 0
        assert set(costs) == {"browse", "search", "checkout"}


@pytest.mark.long
class TestMeasure:
    async def test_shop_tells_what_is_left_of_it(self, rig):
        mix = await shop.measured(rig, multiples=(2,))

        assert {(p.way, p.multiple) for p in mix.shielded} == {
            ("everything grows", 2),
            ("lookers grow", 2),
        }
        assert all(p.loaded.kind("browse").ok > 0 for p in mix.shielded)
        assert all(mix.fits(p) for p in mix.control)
        assert len(mix.lines) == 7

    async def test_layers_tells_what_they_cost(self, rig):
        found = await layers.measured(rig, rounds=1)

        assert found.shielded[0].rate > 0
        assert found.shielded[0].errors == {}

    async def test_isolation_tells_what_others_notice(self, rig):
        found = await isolation.measure(rig)

        assert found.figures["protected"]["browse"]["ratio"] > 0
        assert len(found.lines) == 2

    async def test_recovery_tells_of_both_shops(self, rig):
        found = await recovery.measure(rig)

        assert len(found.lines) == 2
        assert found.figures["peak"] == PEAK
