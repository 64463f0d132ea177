"""Who is shed is told so at once, and cheaply; who is not is served as ever."""

import asyncio
from itertools import product

import pytest
from loading import Loaded

from holdfast.api.policy import Priority
from holdfast.api.protection.cohorts import EXEMPT, Cohorts, key_of
from holdfast.api.protection.threshold import LEVEL, claims
from holdfast.api.routes import ROUTES
from holdfast.platform.settings import Settings
from holdfast.resilience.load import LEVELS, level_of

TIERS = [priority for priority in Priority if priority >= 0]


async def show():
    return {"tea": True}


async def fail():
    raise ZeroDivisionError


@pytest.fixture
def site(edge, route):
    """A route of each tier, at ``/v1/<tier>``."""
    return edge(
        *(
            route("GET", f"/v1/{priority.name.lower()}", show, priority=priority)
            for priority in Priority
        ),
        route("POST", "/v1/browse", show, priority=Priority.BROWSE),
        route("GET", "/v1/broken", fail, priority=Priority.BROWSE),
    )


@pytest.fixture
def load(site):
    return site.shop.load


class TestShedding:
    @pytest.mark.parametrize("shed_from", TIERS)
    async def test_is_of_the_tiers_from_the_threshold_on(self, site, load, shed_from):
        load.shedder.hold(level_of(shed_from, 0))

        for priority in Priority:
            answer = await site.client.get(f"/v1/{priority.name.lower()}")
            assert (answer.status_code == 503) is (priority >= shed_from), priority

    async def test_reads_no_body_and_looks_nothing_up(self, site, load):
        load.shedder.hold(0)
        key = {"Authorization": "Bearer hfk_" + "A" * 49}

        async def body():
            raise AssertionError("the body was read")
            yield b""

        answer = await site.client.post("/v1/browse", headers=key, content=body())

        assert answer.status_code == 503
        assert site.database.asked == 0

    async def test_says_when_to_come_back(self, site, load):
        load.shedder.hold(0)

        answers = [await site.client.get("/v1/bulk") for _ in range(8)]

        told = [int(answer.headers["retry-after"]) for answer in answers]
        assert len(set(told)) == 8
        assert min(told) >= 30
        assert answers[0].json()["type"] == "/problems/overloaded"
        request_id = answers[0].headers["x-request-id"]
        assert answers[0].json()["instance"] == f"/requests/{request_id}"

    async def test_is_logged_as_any_answer_with_what_decided_it(self, site, load):
        load.shedder.hold(0)
        await site.client.get("/v1/browse")

        (line,) = site.logged
        assert (line["status"], line["route"]) == (503, "/v1/browse")
        assert line["decisions"] == ["load:threshold=shed"]

    async def test_is_of_the_same_callers_each_time(self, site, load):
        """Halfway through a tier the same half is served, whatever it asks for."""
        load.shedder.hold(level_of(Priority.BROWSE, 64))
        served = []
        for number in range(40):
            who = {"Authorization": f"Bearer hfc_{number}"}
            statuses = {
                (await site.client.get("/v1/browse", headers=who)).status_code
                for _ in range(3)
            }
            assert len(statuses) == 1
            served.append(statuses != {503})

        assert 5 < sum(served) < 35

    async def test_never_takes_a_clients_word_for_its_priority(self, site, load):
        load.shedder.hold(level_of(Priority.BROWSE, 0))
        names = ("X-Priority", "Priority", "X-Request-Priority", "holdfast.level")

        for name, value in product(names, ("0", "pay", "u=0", "exempt")):
            answer = await site.client.get("/v1/browse", headers={name: value})
            assert answer.status_code == 503


class TestCounting:
    async def test_is_of_what_came_and_what_was_shed(self, site, load):
        await site.client.get("/v1/browse")
        load.shedder.hold(0)
        await site.client.get("/v1/browse")
        load.metrics.hand_on(load)

        read = site.shop.metrics.registry.get_sample_value
        offered = read("holdfast_requests_offered_total", {"tier": "browse"})
        labels = {"tier": "browse", "stage": "threshold", "reason": "threshold"}
        assert offered == 2
        assert read("holdfast_shed_requests_total", labels) == 1
        assert read("holdfast_goodput_requests_total", {"tier": "browse"}) == 1

    async def test_of_good_answers_leaves_out_what_failed(self, site, load):
        await site.client.get("/v1/broken")

        assert load.metrics.good == [0] * 5

    async def test_leaves_out_what_is_never_shed(self, site, load):
        await site.client.get("/v1/exempt")

        assert load.metrics.offered == [0] * 5

    async def test_notes_who_was_turned_away_after_a_lesser_one(self):
        loaded = Loaded()
        metrics = loaded.load.metrics
        metrics.admitted(Priority.BULK)
        metrics.shed(Priority.BROWSE, "queue", "full")
        metrics.shed(Priority.BULK, "queue", "full")

        assert loaded.counted("priority_inversions_total") == 1
        metrics.shed(Priority.BROWSE, "queue", "full")
        assert loaded.counted("priority_inversions_total") == 1


class TestQueue:
    async def test_has_a_place_for_each_kind(self, site, load):
        await site.client.get("/v1/browse")
        await site.client.post("/v1/browse")
        await site.client.get("/v1/bulk")
        await site.client.get("/v1/exempt")
        load.metrics.hand_on(load)

        read = site.shop.metrics.registry.get_sample_value
        name = "holdfast_concurrency_calls_total"
        counted = {
            (kind, status): read(name, {"kind": kind, "status": status})
            for kind in ("read", "write", "report")
            for status in ("success", "bypassed")
        }
        assert counted == {
            ("read", "success"): 1,
            ("read", "bypassed"): 1,
            ("write", "success"): 1,
            ("write", "bypassed"): None,
            ("report", "success"): 1,
            ("report", "bypassed"): None,
        }

    async def test_that_has_no_place_left_says_so(self, site, load):
        load.limits.take({"read": {"algorithm": "fixed", "most": 1}})
        limiter = load.limiters["read"]
        permits = [limiter.try_acquire(0)]
        waiting = [
            asyncio.create_task(limiter.acquire(level_of(Priority.PAY, 0)))
            for _ in range(3)
        ]
        await asyncio.sleep(0)

        answer = await site.client.get("/v1/browse")

        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/overloaded"
        (line,) = site.logged
        assert line["decisions"] == ["shed:read=full"]
        permits[0].release()
        for task in waiting:
            (await task).release()


class TestProtectionOff:
    async def test_sheds_nobody(self, monkeypatch, edge, route):
        read = Settings.read.__func__

        def off(_cls, environ):
            return read(Settings, {**environ, "HOLDFAST_PROTECTION": "off"})

        monkeypatch.setattr(Settings, "read", classmethod(off))
        site = edge(route("GET", "/v1/tea", show))
        site.shop.load.shedder.hold(0)

        assert (await site.client.get("/v1/tea")).status_code == 200


class TestCohorts:
    @pytest.fixture
    def level(self, clock):
        return Cohorts(b"key", clock).level

    def test_of_a_caller_are_those_of_the_credentials(self, level):
        mine = [(b"authorization", b"Bearer hfc_mine")]

        here = level(Priority.BROWSE, mine, "203.0.113.7")
        there = level(Priority.BROWSE, [(b"host", b"x"), *mine], "203.0.113.8")

        assert here == there

    def test_of_anybody_else_are_those_of_the_address(self, level):
        found = {level(Priority.BROWSE, [], f"203.0.113.{n}") for n in range(200)}

        assert len(found) > 60
        assert level(Priority.BROWSE, [], None) == level(Priority.BROWSE, [], "")

    def test_stay_in_their_tier(self, level):
        for priority in TIERS:
            assert level(priority, [], "203.0.113.7") // 128 == priority
        assert level(Priority.EXEMPT, [], "203.0.113.7") == EXEMPT < 0

    def test_turn_with_the_hour(self, clock):
        cohorts = Cohorts(b"key", clock)
        before = [cohorts.level(Priority.PAY, [], str(n)) for n in range(50)]
        clock.advance(hours=1)
        unseen = [cohorts.level(Priority.PAY, [], str(n)) for n in range(50)]
        cohorts.turn()
        after = [cohorts.level(Priority.PAY, [], str(n)) for n in range(50)]

        assert before == unseen
        assert sum(a != b for a, b in zip(before, after, strict=True)) > 30

    def test_are_secret(self, settings):
        key = key_of(settings)

        assert len(key) == 32
        assert key_of(settings) == key


class TestEverybody:
    def test_is_admitted_by_a_process_at_ease(self):
        loaded = Loaded()
        loaded.look(40)

        assert all(loaded.load.admits(level, "threshold") for level in range(LEVELS))


class TestClaims:
    def test_of_who_waits_for_hashing_take_no_place_of_others(self):
        hashing = [route for route in ROUTES if route.lines_up]
        claim = claims(ROUTES)

        found = {
            claim({"holdfast.route": route, LEVEL: 130}).level for route in hashing
        }

        assert ("POST", "/v1/sessions") in {(n.method, n.path) for n in hashing}
        assert found == {-1}

    def test_of_everybody_else_are_of_their_own_level(self):
        claim = claims(ROUTES)
        asked = ("GET", "/v1/products/{product}")
        route = next(n for n in ROUTES if (n.method, n.path) == asked)

        assert claim({"holdfast.route": route, LEVEL: 300})[:2] == ("read", 300)
