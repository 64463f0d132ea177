"""What operators see of the load, and that what they say holds."""

from datetime import timedelta

import pytest
from cases import cases

from holdfast.api.protection.load import Load
from holdfast.platform import controls
from holdfast.platform.controls import Controls
from holdfast.resilience.load import LEVELS, level_of

LEVEL = "/v1/protection/load-level"
SHEDDING = "/v1/protection/load-shedding"


@pytest.fixture
async def operator(an_operator):
    return await an_operator("protection:read", "protection:write")


@pytest.fixture
def seen(client, operator):
    async def read():
        answer = await client.get("/v1/protection", headers=operator)
        return answer.raise_for_status().json()

    return read


@pytest.fixture
def put(client, operator):
    async def send(path, body):
        return await client.put(path, headers=operator, json=body)

    return send


@pytest.fixture
def take_back(client, operator):
    async def send(path):
        answer = await client.delete(path, headers=operator)
        return answer.raise_for_status().json()

    return send


class TestShow:
    async def test_tells_how_a_process_at_ease_fares(self, seen, shop):
        shop.load.look(0.0)

        said = await seen()

        assert (said["level"], said["measured_level"], said["forced"]) == (0, 0, None)
        assert said["shedding"] == "on"
        assert said["shed_from_tier"] is None
        assert said["shed_from_level"] == LEVELS
        assert {"lag", "inflight"} <= {signal["name"] for signal in said["signals"]}
        assert [limit["kind"] for limit in said["limits"]] == [
            *("read", "write", "checkout", "report", "upload"),
        ]
        assert [extra["is_off"] for extra in said["extras"]] == [False, False]

    async def test_tells_who_is_turned_away(self, seen, shop):
        shop.load.shedder.hold(level_of(3, 64))

        said = await seen()

        assert said["shed_from_tier"] == "operate"

    async def test_counts_what_came_by_tier(self, seen, client):
        await client.get("/v1/products")
        await client.get("/v1/products")

        said = await seen()

        offered = {tier["tier"]: tier["offered"] for tier in said["tiers"]}
        assert offered == {"pay": 0, "buy": 0, "browse": 2, "operate": 0, "bulk": 0}

    async def test_tells_of_this_process_once_it_was_looked_at(self, seen, shop):
        for _ in range(10):
            shop.load.look(0.0)

        said = await seen()

        assert [one["process"] for one in said["processes"]] == [said["process"]]
        assert said["processes"][0]["level"] == 0


class TestForce:
    async def test_holds_a_level_until_its_time_is_over(self, put, seen, shop, clock):
        answer = await put(LEVEL, {"level": 2, "seconds": 60})

        said = answer.raise_for_status().json()
        assert (said["level"], said["measured_level"]) == (2, 0)
        assert said["forced"]["level"] == 2
        assert said["forced"]["until"].startswith("2026-11-27T08:01:00")
        assert [extra["is_off"] for extra in said["extras"]] == [True, True]

    async def test_takes_ten_minutes_where_no_time_is_said(self, put):
        said = (await put(LEVEL, {"level": 1})).json()

        assert said["forced"]["until"].startswith("2026-11-27T08:10:00")

    async def test_lets_only_buyers_in_at_3(self, put, client, an_operator):
        await put(LEVEL, {"level": 3})
        staff = await an_operator("orders:read")

        assert (await client.get("/v1/orders", headers=staff)).status_code == 503
        assert (await client.get("/v1/products")).status_code == 200

    async def test_lets_only_those_pay_who_have_begun_to_at_4(self, put, client):
        await put(LEVEL, {"level": 4})

        assert (await client.get("/v1/products")).status_code == 503
        signing_in = await client.post("/v1/sessions", json={})
        assert signing_in.status_code == 422

    async def test_never_sheds_health_nor_itself(self, put, client, seen):
        await put(LEVEL, {"level": 4})

        for path in ("/livez", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200
        assert (await seen())["level"] == 4

    async def test_is_in_the_security_record(self, put, client, an_operator):
        await put(LEVEL, {"level": 2})
        auditor = await an_operator("audit:read")

        path = "/v1/security-events?kind=protection.changed"
        answer = await client.get(path, headers=auditor)
        (event,) = answer.raise_for_status().json()["items"]

        assert event["detail"]["control"] == "load.level"
        assert '"level":2' in event["detail"]["to"]

    @cases(
        "body",
        [
            {"level": 5},
            {"level": -1},
            {"level": 2, "seconds": 0},
            {"level": 2, "seconds": 86_401},
            {"level": 2, "for_ever": True},
            {},
        ],
    )
    async def test_refuses_what_is_no_level(self, put, body):
        assert (await put(LEVEL, body)).status_code == 422

    async def test_needs_the_scope(self, client, an_operator):
        reader = await an_operator("protection:read")

        answer = await client.put(LEVEL, headers=reader, json={"level": 0})

        assert answer.status_code == 403


class TestRelease:
    async def test_goes_back_to_what_is_measured(self, put, take_back, client):
        await put(LEVEL, {"level": 4})

        said = await take_back(LEVEL)

        assert (said["level"], said["forced"]) == (0, None)
        assert (await take_back(LEVEL))["forced"] is None


class TestSetShedding:
    @pytest.fixture
    async def flooded(self, put):
        await put(LEVEL, {"level": 4})

    @pytest.mark.parametrize("mode", ["off", "shadow"])
    async def test_can_let_everybody_in(self, flooded, put, client, mode):
        assert (await client.get("/v1/products")).status_code == 503
        said = (await put(SHEDDING, {"mode": mode})).json()

        assert said["shedding"] == mode
        assert (await client.get("/v1/products")).status_code == 200

    async def test_counts_in_shadow_whom_it_would_have_shed(
        self, flooded, put, client, shop
    ):
        await put(SHEDDING, {"mode": "shadow"})
        await client.get("/v1/products")
        shop.load.metrics.hand_on(shop.load)

        counted = (await client.get("/metrics")).text
        line = 'shed_requests_total{reason="shadow",stage="threshold",tier="browse"} 1'
        assert line in counted

    async def test_can_be_switched_on_again(self, put):
        await put(SHEDDING, {"mode": "off"})

        assert (await put(SHEDDING, {"mode": "on"})).json()["shedding"] == "on"

    async def test_refuses_what_is_no_mode(self, put):
        assert (await put(SHEDDING, {"mode": "maybe"})).status_code == 422


class TestSetLimit:
    async def test_fixes_a_limit(self, put, shop):
        body = {"algorithm": "fixed", "most": 3}
        said = (await put("/v1/protection/limits/read", body)).json()

        (read, *_) = said["limits"]
        assert (read["algorithm"], read["limit"]) == ("fixed", 3)
        assert shop.load.limiters["read"].limit == 3

    async def test_bounds_a_limit_that_adapts(self, put, take_back, shop):
        usual = shop.load.limiters["write"].limit
        body = {"algorithm": "aimd", "least": 2, "most": 5}
        said = (await put("/v1/protection/limits/write", body)).json()

        write = said["limits"][1]
        assert (write["algorithm"], write["least"], write["most"]) == ("aimd", 2, 5)
        assert write["limit"] == 5
        said = await take_back("/v1/protection/limits/write")
        assert said["limits"][1]["algorithm"] == "gradient"
        assert said["limits"][1]["limit"] == usual

    async def test_takes_a_limit_away(self, put, shop):
        await put("/v1/protection/limits/report", {"algorithm": "off"})

        assert shop.load.limiters["report"].limit > 1000

    @cases(
        "body",
        [
            {"algorithm": "magic"},
            {"algorithm": "fixed", "most": 0},
            {"algorithm": "aimd", "least": 5, "most": 4},
            {"algorithm": "gradient", "initial": 9, "most": 4},
            {"most": 4},
        ],
    )
    async def test_refuses_what_makes_no_sense(self, put, body):
        answer = await put("/v1/protection/limits/read", body)

        assert answer.status_code == 422

    async def test_knows_its_kinds(self, put, client, operator):
        path = "/v1/protection/limits/everything"

        assert (await put(path, {"algorithm": "off"})).status_code == 404
        assert (await client.delete(path, headers=operator)).status_code == 404


class TestLoad:
    """What a process makes of controls that were written for it, or by hand."""

    @pytest.fixture
    def say(self, shop):
        """Write a control past the API; the shop looks at it."""

        async def write(name, value):
            async with shop.db.transaction() as tx:
                await controls.put(tx, name, value, by="test", at=shop.clock())
            await shop.controls.reread()
            return shop.load

        return write

    async def test_follows_what_another_process_was_told(self, say, clock):
        until = (clock() + timedelta(minutes=1)).isoformat()

        load = await say("load.level", {"level": 3, "until": until})

        assert load.level == 3
        assert load.shedder.threshold == level_of(3, 0)

    async def test_takes_no_level_whose_time_is_over(self, say, clock):
        until = (clock() - timedelta(seconds=1)).isoformat()

        assert (await say("load.level", {"level": 3, "until": until})).level == 0

    @cases(
        "value",
        [
            7,
            "high",
            {"level": 9, "until": "2030-01-01T00:00:00Z"},
            {"level": -1, "until": "2030-01-01T00:00:00Z"},
            {"level": 3, "until": "2030-01-01T00:00:00"},
            {"level": 3},
        ],
    )
    async def test_takes_no_level_that_is_none(self, say, value):
        assert (await say("load.level", value)).level == 0

    @pytest.mark.parametrize("value", ["on", "perhaps", 1, {"mode": "off"}])
    async def test_sheds_unless_it_is_told_otherwise(self, say, value):
        assert (await say("load.shedding", value)).shedding == "on"

    @pytest.mark.parametrize(
        "value", [3, {"algorithm": "magic"}, {"algorithm": "fixed", "most": 10**9}]
    )
    async def test_keeps_its_limits_where_it_does_not_understand(self, say, value):
        load = await say("limit.read", value)

        assert load.limits.rules["read"].algorithm == "gradient"

    async def test_ends_a_level_at_its_time(self, shop, clock):
        now = [100.0]
        load = Load(
            shop.settings,
            clock=clock,
            metrics=shop.load.metrics,
            timer=lambda: now[0],
            cpu=lambda: 0.0,
        )
        async with shop.db.transaction() as tx:
            until = (clock() + timedelta(minutes=1)).isoformat()
            value = {"level": 4, "until": until}
            await controls.put(tx, "load.level", value, by="test", at=clock())
        known = Controls(shop.db)
        load.follow(known)
        await known.reread()
        assert not load.admits(level_of(2, 0), "threshold")

        now[0] += 61
        load.look(0.0)

        assert (load.level, load.forced) == (0, None)
        assert load.admits(level_of(2, 0), "threshold")
