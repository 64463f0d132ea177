"""Visitors wait: by lot, then in turn, and nobody forges, skips or doubles a place."""

import asyncio

import pytest

from holdfast.api.app import serving
from holdfast.api.shop import opened
from holdfast.resilience.waiting_room import Ticket, sign

NAME = "Waiting-Room-Ticket"


class TestJoin:
    async def test_before_it_opens_all_are_alike(self, announce) -> None:
        run = await announce()

        answer = await run.join()

        said = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"{run.path}/place"
        assert 60 <= int(answer.headers["retry-after"]) <= 64
        assert (said["status"], said["position"]) == ("registered", None)
        assert 0 < said["estimated_wait_seconds"] <= 60

    async def test_lots_give_each_a_place_and_no_place_twice(self, announce) -> None:
        run = await announce(per_minute=6)
        tickets = await run.tickets(20)

        await run.open()

        places = [(await run.place(ticket)).json()["position"] for ticket in tickets]
        assert sorted(places) == list(range(1, 21))
        # One in 20! chances to be in the order in which they came.
        assert places != sorted(places)

    async def test_who_comes_late_stands_behind(self, announce) -> None:
        run = await announce(per_minute=6)
        await run.tickets(5)
        await run.open()

        late = [(await run.join()).json()["position"] for _ in range(3)]

        assert late == [6, 7, 8]

    async def test_who_has_signed_in_has_one_ticket(self, announce, signed_in) -> None:
        run = await announce(max_tickets=1)
        ada, bob = await signed_in(), await signed_in()

        first = (await run.join(ada.headers)).json()["ticket"]
        again = (await run.join(ada.headers)).json()["ticket"]
        other = (await run.join(bob.headers)).json()["ticket"]

        assert first == again != other

    async def test_an_address_has_as_many_as_it_may(self, announce) -> None:
        run = await announce(max_tickets=2)
        await run.tickets(2)

        answer = await run.join()

        assert answer.status_code == 429
        assert answer.json()["type"] == "/problems/no-more-tickets"
        assert answer.json()["most"] == 2

    async def test_guests_can_be_told_to_sign_in(self, announce, signed_in) -> None:
        run = await announce(guests=False)

        refused = await run.join()
        let_in = await run.join((await signed_in()).headers)

        assert refused.json()["type"] == "/problems/sign-in-to-wait"
        assert let_in.status_code == 201

    async def test_many_at_once_get_a_place_each(self, announce) -> None:
        run = await announce(per_minute=6)
        await run.open()

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(run.join()) for _ in range(30)]

        places = [one.result().json()["position"] for one in asked]
        assert sorted(places) == list(range(1, 31))


class TestPlace:
    async def test_says_how_many_are_ahead_and_how_long_that_takes(
        self, announce
    ) -> None:
        run = await announce(per_minute=60)
        tickets = await run.tickets(30)
        await run.open()
        await run.pass_(5)

        answers = [await run.place(ticket) for ticket in tickets]
        waiting = [a for a in answers if a.json()["status"] == "waiting"]
        last = max(waiting, key=lambda a: a.json()["position"])

        said = last.json()
        assert said["position"] == 30
        assert 20 <= said["ahead"] <= 25
        assert said["estimated_wait_seconds"] == pytest.approx(said["ahead"], abs=6)
        assert 1 <= int(last.headers["retry-after"]) <= 10

    async def test_lets_in_at_the_pace_that_was_asked_for(self, announce) -> None:
        run = await announce(per_minute=120)
        tickets = await run.tickets(40)
        await run.open()
        await run.pass_(10)

        said = [(await run.place(ticket)).json()["status"] for ticket in tickets]

        assert 18 <= said.count("admitted") <= 20

    async def test_that_was_missed_is_lost(self, announce) -> None:
        run = await announce(pass_seconds=30)
        (ticket,) = await run.tickets(1)
        await run.open()
        await run.pass_(2)

        run.clock.advance(seconds=40)

        assert (await run.place(ticket)).json()["status"] == "missed"

    async def test_lasts_as_long_as_it_was_said(self, announce) -> None:
        run = await announce(pass_seconds=30)
        await run.open()
        ticket = await run.admitted()
        until = (await run.place(ticket)).json()["admitted_until"]

        run.clock.advance(seconds=20)
        later = (await run.place(ticket)).json()
        run.clock.advance(seconds=11)
        over = (await run.place(ticket)).json()

        assert (later["status"], later["admitted_until"]) == ("admitted", until)
        assert over["status"] == "expired"

    async def test_cannot_be_lengthened_with_the_older_ticket(self, announce) -> None:
        run = await announce(pass_seconds=30)
        (older,) = await run.tickets(1)
        await run.open()
        await run.pass_(2)
        first = (await run.place(older)).json()["admitted_until"]

        run.clock.advance(seconds=20)

        assert (await run.place(older)).json()["admitted_until"] == first

    @pytest.mark.parametrize("text", ["x", "hfw_" + "A" * 87, "hfw_é", ""])
    async def test_of_no_ticket_is_refused(self, announce, text) -> None:
        run = await announce()
        header = {NAME: text.encode()}

        answer = await run.client.get(f"{run.path}/place", headers=header)

        assert answer.json()["type"] == "/problems/ticket-not-valid"

    async def test_of_another_drop_is_refused(self, announce) -> None:
        one, two = await announce("ONE"), await announce("TWO")
        (ticket,) = await one.tickets(1)

        assert (await two.place(ticket)).status_code == 422

    async def test_needs_a_ticket(self, announce, client) -> None:
        run = await announce()

        answer = await client.get(f"{run.path}/place")

        assert answer.json()["type"] == "/problems/invalid-request"


class TestBuy:
    async def test_takes_somebody_whose_turn_it_is(self, announce, a_bag) -> None:
        run = await announce()
        await run.open()
        bag = await a_bag(DROP=1)
        without = await bag.check_out("without")
        waiting = (await run.tickets(1))[0]
        too_early = await bag.check_out("early", headers={NAME: waiting})

        ticket = await run.admitted()
        sold = await bag.check_out("now", headers={NAME: ticket})

        assert without.json()["type"] == "/problems/admission-required"
        assert too_early.json()["type"] == "/problems/admission-required"
        assert sold.status_code == 201, sold.text

    async def test_is_held_against_the_limit_over_all_orders(
        self, announce, a_bag
    ) -> None:
        run = await announce(max_units=2)
        await run.open()
        headers = {NAME: await run.admitted()}

        one = await (await a_bag(DROP=1)).check_out("one", headers=headers)
        two = await (await a_bag(DROP=2)).check_out("two", headers=headers)
        three = await (await a_bag(DROP=1)).check_out("three", headers=headers)
        four = await (await a_bag(DROP=1)).check_out("four", headers=headers)

        assert (one.status_code, three.status_code) == (201, 201)
        assert two.json()["type"] == "/problems/drop-limit-reached"
        assert (two.json()["bought"], two.json()["wanted"]) == (1, 2)
        assert four.status_code == 409

    async def test_at_once_with_one_ticket_does_not_pass_the_limit(
        self, announce, a_bag
    ) -> None:
        run = await announce(max_units=1)
        await run.open()
        headers = {NAME: await run.admitted()}
        bags = [await a_bag(DROP=1) for _ in range(5)]

        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(bag.check_out(f"at-once-{n}", headers=headers))
                for n, bag in enumerate(bags)
            ]

        statuses = sorted(one.result().status_code for one in asked)
        assert statuses == [201, 409, 409, 409, 409]

    async def test_is_tried_again_after_a_declined_payment(
        self, announce, a_bag
    ) -> None:
        run = await announce(max_units=1)
        await run.open()
        headers = {NAME: await run.admitted()}
        bag = await a_bag(DROP=1)

        declined = await bag.check_out("no", headers=headers, pays="declined")
        sold = await bag.check_out("yes", headers=headers)

        assert (declined.status_code, sold.status_code) == (402, 201)

    async def test_after_the_turn_is_over_needs_another(self, announce, a_bag) -> None:
        run = await announce(pass_seconds=30)
        await run.open()
        headers = {NAME: await run.admitted()}

        run.clock.advance(seconds=31)
        answer = await (await a_bag(DROP=1)).check_out("late", headers=headers)

        assert answer.json()["type"] == "/problems/admission-required"

    async def test_holds_need_a_turn_as_well(self, announce, a_bag, client) -> None:
        run = await announce(max_units=2)
        bag = await a_bag(DROP=1)
        path = f"{bag.path}/reservation"
        before = await client.put(path, headers=bag.owner)
        await run.open()
        without = await client.put(path, headers=bag.owner)

        headers = {**bag.owner, NAME: await run.admitted()}
        held = await client.put(path, headers=headers)
        lines = {"lines": [{"sku": "DROP", "quantity": 3}]}
        too_many = await client.put(path, json=lines, headers=headers)

        assert before.json()["type"] == "/problems/drop-not-open"
        assert without.json()["type"] == "/problems/admission-required"
        assert held.status_code == 201, held.text
        assert too_many.json()["type"] == "/problems/drop-limit-reached"

    async def test_with_a_ticket_that_nobody_made_is_refused(
        self, announce, a_bag, shop
    ) -> None:
        run = await announce()
        await run.open()
        real = await run.admitted()
        door = shop.doors.find(next(iter(shop.doors._doors)))
        forged = sign(
            Ticket(door.drop.id, door.drop.id, 1, 2_000_000_000), b"guessed" * 4
        )

        answer = await (await a_bag(DROP=1)).check_out("no", headers={NAME: forged})

        assert answer.json()["type"] == "/problems/ticket-not-valid"
        assert real != forged

    async def test_of_anything_else_needs_none(
        self, announce, a_bag, a_product
    ) -> None:
        await announce()
        await a_product("TEA")

        assert (await (await a_bag(TEA=1)).check_out("tea")).status_code == 201

    async def test_by_an_operator_needs_none(
        self, announce, a_bag, an_operator
    ) -> None:
        await announce()
        operator = await an_operator("orders:write", "carts:write")
        bag = await a_bag(DROP=1)

        answer = await bag.check_out("desk", headers=operator)

        assert answer.status_code == 201, answer.text


class TestSeveralProcesses:
    async def test_draw_once_and_let_nobody_in_twice(
        self, announce, shop, settings, clock, hasher
    ) -> None:
        run = await announce(per_minute=60)
        tickets = await run.tickets(30)
        async with opened(settings, clock=clock, hasher=hasher) as other:
            serving(other)
            clock.advance(seconds=61)
            await other.doors.step()
            await shop.doors.step()
            for _ in range(10):
                clock.advance(seconds=1)
                await shop.doors.step()
                await other.doors.step()

        places = [(await run.place(t)).json() for t in tickets]
        admitted = [p for p in places if p["status"] == "admitted"]
        assert sorted(p["position"] for p in places) == list(range(1, 31))
        assert 8 <= len(admitted) <= 10
