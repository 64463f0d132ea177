"""Failures over time, by operation and by request."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.simulators.clock import SECOND
from holdfast.simulators.latency import Latency
from holdfast.simulators.scenario import Burst, Mishap, Outage, RateLimit, Scenario
from holdfast.simulators.stage import Fate, Stage
from holdfast.simulators.web import Problem

OPENING = datetime(2026, 11, 27, 8, tzinfo=UTC)


class TestBurst:
    def test_by_calls_strikes_the_first_of_every_so_many(self, stage):
        stage.set(Scenario(burst=Burst(every_calls=5, for_calls=2)))

        fates = [stage.fate().fail for _ in range(10)]

        assert fates == (["error"] * 2 + ["none"] * 3) * 2

    def test_by_time_strikes_the_first_of_every_so_many_milliseconds(
        self, stage, stopped_clock
    ):
        burst = Burst(every_ms=1000, for_ms=300)
        stage.set(Scenario(burst=burst, fail="hang_after"))
        fates = []

        for _ in range(20):
            fates.append(stage.fate().fail)
            stopped_clock.advance(SECOND // 10)

        assert fates == (["hang_after"] * 3 + ["none"] * 7) * 2


class TestOutage:
    def test_strikes_everything_between_its_instants_and_nothing_else(
        self, stage, stopped_clock
    ):
        start, end = OPENING + timedelta(seconds=1), OPENING + timedelta(seconds=3)
        stage.set(Scenario(outage=Outage(start=start, end=end)))
        fates = []

        for _ in range(4):
            fates.append((stage.fate("charge").fail, stage.fate("lookup").fail))
            stopped_clock.advance(SECOND)

        up, down = ("none", "none"), ("unavailable", "unavailable")
        assert fates == [up, down, down, up]

    def test_closes_the_door_and_opens_it_again(self, stage, stopped_clock):
        doors = []
        stage.use_door(lambda *, is_open: doors.append(is_open))
        start, end = OPENING + timedelta(seconds=1), OPENING + timedelta(seconds=3)

        stage.set(Scenario(outage=Outage(start=start, end=end, how="refuse")))
        stopped_clock.advance(SECOND)
        refused = stage.fate("lookup").fail
        stopped_clock.advance(2 * SECOND)

        assert doors == [True, False, True]
        assert refused == "reset"

    def test_another_scenario_opens_the_door_for_good(self, stage, stopped_clock):
        doors = []
        stage.use_door(lambda *, is_open: doors.append(is_open))
        end = OPENING + timedelta(seconds=3)
        stage.set(Scenario(outage=Outage(end=end, how="refuse")))

        stage.set(None)
        stopped_clock.advance(10 * SECOND)

        assert doors == [True, False, True]


class TestRateLimit:
    def test_lets_so_many_a_second_through(self, stage, stopped_clock):
        stage.set(Scenario(rate_limit=RateLimit(per_second=4)))

        at_once = [stage.fate().fail for _ in range(6)]
        stopped_clock.advance(SECOND // 2)
        later = [stage.fate().fail for _ in range(3)]

        assert at_once == ["none"] * 4 + ["rate_limited"] * 2
        assert later == ["none", "none", "rate_limited"]

    async def test_is_a_429_that_says_when_to_come_back(self, payment, charge):
        await payment.put("/control/scenario", json={"rate_limit": {"per_second": 1}})

        answers = [await charge(), await charge()]

        assert [answer.status_code for answer in answers] == [201, 429]
        assert answers[1].headers["retry-after"] == "1"
        assert answers[1].json()["type"] == "/problems/rate-limited"


class TestOperations:
    async def test_a_scenario_is_for_charges_unless_it_says_otherwise(
        self, payment, charge
    ):
        await charge()
        await payment.put("/control/scenario", json={"fail": "unavailable"})

        assert (await charge()).status_code == 503
        assert (await payment.get("/v1/charges/by-key/key-1")).status_code == 200
        assert (await payment.post("/v1/charges/by-key/new/cancel")).status_code == 200

    @pytest.mark.parametrize(
        ("operation", "method", "path"),
        [
            ("lookup", "GET", "/v1/charges/by-key/key-1"),
            ("lookup", "GET", "/v1/charges"),
            ("lookup", "GET", "/v1/refunds/by-key/refund-1"),
            ("lookup", "GET", "/v1/refunds"),
            ("lookup", "GET", "/v1/summary"),
            ("capture", "POST", "/v1/charges/by-key/key-1/capture"),
            ("void", "POST", "/v1/charges/by-key/key-1/void"),
            ("cancel", "POST", "/v1/charges/by-key/key-1/cancel"),
            ("cancel_refund", "POST", "/v1/refunds/by-key/refund-1/cancel"),
        ],
    )
    async def test_what_it_names_fails_and_what_it_does_not_behaves(
        self, payment, charge, operation, method, path
    ):
        await payment.put(
            "/control/scenario", json={"fail": "error", "on": [operation]}
        )

        struck = await payment.request(method, path)

        assert struck.status_code == 500
        assert (await charge("other")).status_code == 201

    async def test_refunds_can_fail_alone(self, payment, charge, refund):
        await payment.put(
            "/control/scenario", json={"fail": "error_after", "on": ["refund"]}
        )
        await charge()

        struck = await refund()

        found = await payment.get("/v1/refunds/by-key/refund-1")
        assert (struck.status_code, found.json()["status"]) == (500, "succeeded")

    @pytest.mark.parametrize(
        ("operation", "path"),
        [
            ("tracking", "/v1/tracking/HF000000005DE"),
            ("label", "/v1/shipments/sh_1/label.pdf"),
            ("lookup", "/v1/shipments"),
        ],
    )
    async def test_a_carriers_too(self, carrier, operation, path):
        await carrier.put(
            "/control/scenario", json={"fail": "error", "on": [operation]}
        )

        assert (await carrier.get(path)).status_code == 500

    async def test_an_operation_of_the_other_simulator_is_refused(
        self, payment, carrier
    ):
        for client, operation in ((payment, "label"), (carrier, "refund")):
            response = await client.put("/control/scenario", json={"on": [operation]})

            assert response.status_code == 422


class TestOneRequest:
    def test_its_own_wish_is_drawn_from_its_own_seed(self):
        stage = Stage()
        wishes = [
            Mishap(fail="error", rate=0.5, latency_ms=Latency(min=0, max=9), seed=seed)
            for seed in range(40)
        ]

        first = [stage.fate("charge", mishap=wish) for wish in wishes]

        assert first == [stage.fate("charge", mishap=wish) for wish in wishes]
        assert {fate.fail for fate in first} == {"error", "none"}

    async def test_a_header_wins_over_the_body_and_both_over_the_control(
        self, payment, an_order
    ):
        await payment.put("/control/scenario", json={"fail": "garbage"})
        body = an_order(simulate={"fail": "error"})

        by_body = await payment.post(
            "/v1/charges", json=body, headers={"Idempotency-Key": "k"}
        )
        by_header = await payment.post(
            "/v1/charges",
            json=body,
            headers={"Idempotency-Key": "k", "Simulate": '{"fail": "none"}'},
        )

        assert (by_body.status_code, by_header.status_code) == (500, 201)

    async def test_strikes_the_first_so_many_calls_with_its_key(self, payment, charge):
        wish = {"fail": "error_after", "count": 2}

        answers = [await charge(simulate=wish) for _ in range(3)]
        other = await charge("key-2", simulate=wish)

        assert [answer.status_code for answer in answers] == [500, 500, 200]
        assert other.status_code == 500
        summary = (await payment.get("/v1/summary")).json()
        assert summary["captured"]["count"] == 2

    async def test_can_be_wished_of_lookups(self, payment):
        response = await payment.get(
            "/v1/charges", headers={"Simulate": json.dumps({"fail": "unavailable"})}
        )

        assert response.status_code == 503

    @pytest.mark.parametrize(
        "header", ["", "error", "{", '{"fail": "explode"}', '{"burst": {}}', "[" * 5000]
    )
    async def test_a_header_that_makes_no_sense_is_refused(
        self, payment, an_order, header
    ):
        response = await payment.post(
            "/v1/charges",
            json=an_order(),
            headers={"Idempotency-Key": "k", "Simulate": header},
        )

        assert response.status_code == 400
        assert response.json()["type"] == "/problems/simulate-header-invalid"
        assert (await payment.get("/v1/charges")).json()["items"] == []


class TestScenario:
    @pytest.mark.parametrize(
        "scenario",
        [
            {"burst": {}},
            {"burst": {"every_ms": 5}},
            {"burst": {"every_ms": 5, "for_calls": 1}},
            {"burst": {"every_ms": 5, "for_ms": 1, "every_calls": 2, "for_calls": 1}},
            {"outage": {}},
            {"outage": {"to": "2030-01-01T00:00:00"}},
            {"outage": {"to": "2030-01-01T00:00:00Z", "how": "burn"}},
            {"rate_limit": {"per_second": 0}},
            {"on": ["everything"]},
            {"decline_rate": 2},
            {"decline_reason": "Not a slug"},
        ],
    )
    async def test_refuses_what_it_does_not_understand(self, payment, scenario):
        response = await payment.put("/control/scenario", json=scenario)

        assert response.status_code == 422
        assert (await payment.get("/control/state")).json()["scenario"] is None

    async def test_declines_a_share_of_charges_by_its_seed(self, payment, charge):
        outcomes = []

        for run in range(2):
            await payment.post("/control/reset")
            await payment.put(
                "/control/scenario",
                json={"decline_rate": 0.5, "decline_reason": "lost_card", "seed": 3},
            )
            answers = [await charge(f"{run}-{number}") for number in range(30)]
            outcomes.append([answer.json()["decline_reason"] for answer in answers])

        assert outcomes[0] == outcomes[1]
        assert set(outcomes[0]) == {None, "lost_card"}

    async def test_one_charge_can_wish_to_be_declined(self, charge):
        response = await charge(simulate={"decline_reason": "expired_card"})

        assert response.json()["status"] == "declined"
        assert response.json()["decline_reason"] == "expired_card"


class TestBeginAnew:
    async def test_what_was_on_its_way_does_not_arrive_any_more(self):
        done = []

        async def sleep(seconds):
            stage.begin_anew()

        stage = Stage(sleep=sleep)

        with pytest.raises(Problem, match="Started anew"):
            await stage.play(Fate(0.3, "none"), None, lambda: done.append("charged"))

        assert done == []
