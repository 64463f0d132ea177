"""How a simulator is told to misbehave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.latency import Latency
from holdfast.simulators.scenario import Scenario
from holdfast.simulators.stage import Fate, Stage


class TestStage:
    def test_behaves_until_told_otherwise(self):
        stage = Stage()

        assert [stage.fate() for _ in range(3)] == [Fate(0, "none")] * 3

    @given(
        seed=st.integers(0, 2**53),
        rate=st.floats(0, 1),
        count=st.none() | st.integers(0, 20),
        low=st.integers(0, 50),
        spread=st.integers(0, 50),
    )
    def test_the_same_seed_gives_the_same_fates(self, seed, rate, count, low, spread):
        scenario = Scenario(
            latency_ms=Latency(min=low, max=low + spread),
            fail="hang_after",
            rate=rate,
            count=count,
            seed=seed,
        )
        stages = (Stage(), Stage())
        runs = []

        for stage in stages:
            stage.set(scenario)
            runs.append([stage.fate() for _ in range(40)])

        assert runs[0] == runs[1]
        assert all(
            low / 1000 <= fate.latency_seconds <= (low + spread) / 1000
            for fate in runs[0]
        )
        struck = sum(fate.fail == "hang_after" for fate in runs[0])
        assert struck == stages[0].state().struck
        assert count is None or struck <= count

    def test_another_seed_gives_other_fates(self):
        fates = []

        for seed in (1, 2):
            stage = Stage()
            stage.set(Scenario(fail="error", rate=0.5, seed=seed))
            fates.append([stage.fate().fail for _ in range(64)])

        assert fates[0] != fates[1]

    def test_strikes_about_the_rate_that_was_asked_for(self):
        stage = Stage()
        stage.set(Scenario(fail="error", rate=0.3, seed=7))

        for _ in range(10_000):
            stage.fate()

        assert 2_800 <= stage.state().struck <= 3_200

    def test_strikes_every_call_at_rate_one_until_the_count_is_spent(self):
        stage = Stage()
        stage.set(Scenario(fail="hang", count=2))

        assert [stage.fate().fail for _ in range(4)] == ["hang", "hang", "none", "none"]

    def test_setting_it_again_starts_over(self):
        stage = Stage()
        scenario = Scenario(fail="garbage", rate=0.5, count=3, seed=5)
        stage.set(scenario)
        first = [stage.fate() for _ in range(20)]

        stage.set(scenario)

        assert [stage.fate() for _ in range(20)] == first


class TestControlScenario:
    async def test_shows_what_was_put_and_forgets_what_was_deleted(self, either):
        scenario = {
            "latency_ms": {"min": 5, "max": 9},
            "fail": "hang",
            "rate": 0.25,
            "count": 10,
            "seed": 42,
        }

        put = await either.put("/control/scenario", json=scenario)
        shown = await either.get("/control/state")
        deleted = await either.delete("/control/scenario")
        after = await either.get("/control/state")

        assert put.status_code == 200
        assert shown.json() == {"scenario": scenario, "calls": 0, "struck": 0}
        assert deleted.status_code == 204
        assert after.json() == {"scenario": None, "calls": 0, "struck": 0}

    @pytest.mark.parametrize(
        "scenario",
        [
            {"latency_ms": {}},
            {"latency_ms": {"fixed": 1, "min": 1, "max": 2}},
            {"latency_ms": {"min": 1}},
            {"latency_ms": {"min": 2, "max": 1}},
            {"latency_ms": {"fixed": 600_001}},
            {"latency_ms": {"median": 3}},
            {"fail": "explode"},
            {"rate": 1.5},
            {"rate": -0.1},
            {"count": -1},
            {"seed": 2**54},
            {"colour": "red"},
        ],
    )
    async def test_refuses_a_scenario_it_does_not_understand(self, payment, scenario):
        response = await payment.put("/control/scenario", json=scenario)

        assert response.status_code == 422
        assert response.json()["type"] == "/problems/invalid-request"
        assert (await payment.get("/control/state")).json()["scenario"] is None

    async def test_fixed_latency_is_kept_for_every_call(self, carrier, nap):
        await carrier.put("/control/scenario", json={"latency_ms": {"fixed": 250}})
        wanted = {"country": "DE", "weight_grams": 1, "currency": "EUR"}

        for _ in range(2):
            await carrier.post("/v1/rates", json=wanted)

        assert nap.seconds == [0.25, 0.25]


class TestLivez:
    async def test_answers_whatever_the_scenario(self, either):
        await either.put("/control/scenario", json={"fail": "hang"})

        response = await either.get("/livez")

        assert response.status_code == 200
        assert response.json() == {"status": "ok"}
