"""What is told, to whom, how often and in which order."""

import pytest

from holdfast.kernel.clock import system_clock
from holdfast.simulators.clock import SECOND
from holdfast.simulators.webhooks import Target, Webhooks


@pytest.fixture
async def webhooks(stopped_clock, receiver):
    webhooks = Webhooks(stopped_clock, target=Target(**receiver.target))
    yield webhooks
    await webhooks.close()


@pytest.fixture
def settled(promised):
    """The newest, once it has had so many attempts and waits or is over."""

    async def wait(client, attempts: int) -> dict[str, object]:
        found = {}

        async def so_far() -> bool:
            items = (await client.get("/control/webhooks")).json()["items"]
            found.update(items[0])
            rests = found["status"] != "pending" or found["next_attempt_at"]
            return bool(rests) and len(found["attempts"]) >= attempts

        await promised(so_far)
        return found

    return wait


class TestEvents:
    async def test_are_signed_and_say_the_whole_object(self, hooked, charge, receiver):
        made = (await charge()).json()

        (received,) = await receiver.until(1)
        assert received.is_signed()
        assert received.headers["content-type"] == "application/json"
        now = system_clock().timestamp()
        assert abs(int(received.headers["webhook-timestamp"]) - now) < 60
        assert received.event == {
            "id": received.id,
            "type": "charge.captured",
            "created_at": "2026-11-27T08:00:00.000000Z",
            "data": made,
        }

    async def test_are_not_sent_for_what_did_not_change(self, hooked, charge, receiver):
        for _ in range(2):
            await charge()
        await hooked.post("/v1/charges/by-key/never/cancel")
        await charge("never")
        await charge("last", payment_method="pm_card_declined")

        await receiver.until(2)

        assert receiver.types == ["charge.captured", "charge.declined"]

    async def test_are_sent_though_the_answer_is_lost(self, hooked, charge, receiver):
        await charge(payment_method="pm_error_after")

        await receiver.until(1)

        assert receiver.types == ["charge.captured"]

    async def test_are_neither_sent_nor_kept_without_a_target(self, payment, charge):
        await charge()

        assert (await payment.get("/control/webhooks")).json()["items"] == []

    async def test_wait_for_a_target_that_was_taken_away(
        self, hooked, charge, receiver, settled
    ):
        receiver.then_answer(500)
        await charge()
        await settled(hooked, 1)
        await hooked.delete("/control/webhook")
        await hooked.post("/control/clock/advance", json={"seconds": 60})
        (waiting,) = (await hooked.get("/control/webhooks")).json()["items"]

        await hooked.put("/control/webhook", json=receiver.target)

        done = await settled(hooked, 2)
        assert (waiting["status"], done["status"]) == ("pending", "delivered")


class TestRetries:
    async def test_wait_twice_as_long_each_time_and_keep_the_id(
        self, hooked, charge, receiver, settled
    ):
        receiver.then_answer(500, 404, 302, 503)
        await charge()
        waits = []

        for attempt in range(1, 5):
            delivery = await settled(hooked, attempt)
            waits.append(delivery["next_attempt_at"])
            await hooked.post(
                "/control/clock/advance", json={"seconds": 2**attempt / 2}
            )

        done = await settled(hooked, 5)
        assert [wait[17:20] for wait in waits] == ["01.", "03.", "07.", "15."]
        statuses = [attempt["status"] for attempt in done["attempts"]]
        assert statuses == [500, 404, 302, 503, 204]
        assert done["status"] == "delivered"
        assert done["next_attempt_at"] is None
        assert len({received.id for received in receiver.received}) == 1
        assert all(received.is_signed() for received in receiver.received)

    async def test_end_after_twenty(self, hooked, charge, receiver, settled):
        receiver.then_answer(*[500] * 20)
        await charge()

        for attempt in range(1, 20):
            await settled(hooked, attempt)
            await hooked.post("/control/clock/advance", json={"seconds": 60})

        ended = await settled(hooked, 20)
        assert ended["status"] == "failed"
        assert ended["next_attempt_at"] is None

    async def test_come_when_nobody_answers_too(
        self, hooked, charge, receiver, settled
    ):
        await receiver.stop()
        await charge()

        delivery = await settled(hooked, 1)

        (attempt,) = delivery["attempts"]
        assert attempt["status"] is None
        assert attempt["error"]
        assert delivery["next_attempt_at"] == "2026-11-27T08:00:01.000000Z"


class TestScenario:
    async def test_duplicates_carry_the_same_id(self, hooked, charge, receiver):
        await hooked.put("/control/webhook/scenario", json={"duplicate": 2})

        await charge()

        received = await receiver.until(3)
        assert len({webhook.id for webhook in received}) == 1
        assert len({webhook.body for webhook in received}) == 1

    async def test_a_window_leaves_in_another_order_the_same_for_a_seed(
        self, hooked, charge, receiver
    ):
        orders = []

        for run in range(2):
            del receiver.received[:]
            scenario = {"shuffle": 8, "seed": 5}
            await hooked.put("/control/webhook/scenario", json=scenario)
            for number in range(8):
                await charge(f"{run}-{number}")
            received = await receiver.until(8)
            orders.append([webhook.event["data"]["key"][2:] for webhook in received])

        assert orders[0] == orders[1]
        assert sorted(orders[0]) != orders[0]
        assert sorted(orders[0]) == [str(number) for number in range(8)]

    async def test_a_window_that_never_fills_leaves_after_a_second(
        self, hooked, charge, receiver
    ):
        await hooked.put("/control/webhook/scenario", json={"shuffle": 100})
        await charge()
        held = list(receiver.received)

        await hooked.post("/control/clock/advance", json={"seconds": 1})

        assert held == []
        assert len(await receiver.until(1)) == 1

    async def test_late_ones_come_when_the_clock_says_so(
        self, hooked, charge, receiver
    ):
        scenario = {"delay_ms": {"fixed": 500}}
        await hooked.put("/control/webhook/scenario", json=scenario)
        await charge("late")
        await hooked.delete("/control/webhook/scenario")
        await charge("soon")
        await receiver.until(1)

        await hooked.post("/control/clock/advance", json={"seconds": 0.5})

        received = await receiver.until(2)
        keys = [webhook.event["data"]["key"] for webhook in received]
        assert keys == ["soon", "late"]

    async def test_a_share_is_never_sent_and_can_be_sent_by_hand(
        self, hooked, charge, receiver, settled
    ):
        await hooked.put("/control/webhook/scenario", json={"drop_rate": 1})
        await charge()
        dropped = await settled(hooked, 0)

        again = await hooked.post(f"/control/webhooks/{dropped['id']}/redeliver")

        (received,) = await receiver.until(1)
        assert dropped["status"] == "dropped"
        assert again.status_code == 202
        assert received.id == dropped["id"]

    async def test_before_the_answer_means_before_the_answer(
        self, hooked, charge, receiver, refund
    ):
        scenario = {"before_answer": True, "delay_ms": {"fixed": 9}, "shuffle": 9}
        await hooked.put("/control/webhook/scenario", json=scenario)

        for number in range(1, 6):
            await charge(f"key-{number}")
            assert len(receiver.received) == number
        await refund()
        assert receiver.types[-1] == "refund.succeeded"

    async def test_a_wrong_signature_is_tried_again_with_a_right_one(
        self, hooked, charge, receiver, settled
    ):
        scenario = {"bad_signature_rate": 1, "before_answer": True}
        await hooked.put("/control/webhook/scenario", json=scenario)
        receiver.then_answer(401)
        await charge()
        await hooked.delete("/control/webhook/scenario")

        await hooked.post("/control/clock/advance", json={"seconds": 1})

        received = await receiver.until(2)
        assert [webhook.is_signed() for webhook in received] == [False, True]

    async def test_an_old_timestamp_is_signed_all_the_same(
        self, hooked, charge, receiver
    ):
        scenario = {"skew_seconds": -3600}
        await hooked.put("/control/webhook/scenario", json=scenario)

        await charge()

        (received,) = await receiver.until(1)
        age = system_clock().timestamp() - int(received.headers["webhook-timestamp"])
        assert 3500 < age < 3700
        assert received.is_signed()

    @pytest.mark.parametrize(
        "scenario",
        [
            {"duplicate": -1},
            {"duplicate": 101},
            {"shuffle": 1001},
            {"drop_rate": 1.5},
            {"delay_ms": {}},
            {"before_answer": "yes"},
            {"colour": "red"},
        ],
    )
    async def test_refuses_what_it_does_not_understand(self, payment, scenario):
        response = await payment.put("/control/webhook/scenario", json=scenario)

        assert response.status_code == 422


class TestRemembered:
    async def test_gives_up_the_oldest_when_there_are_too_many(
        self, stopped_clock, receiver
    ):
        ended = []
        webhooks = Webhooks(
            stopped_clock, target=Target(**receiver.target), keep=ended.append, most=2
        )
        for number in range(4):
            webhooks.emit("charge.captured", subject=str(number), data={})

        kept = webhooks.newest(start=0, limit=10)
        await webhooks.close()

        assert [delivery.note.subject for delivery in kept] == ["3", "2"]
        assert (webhooks.count("pending"), len(webhooks)) == (2, 2)
        assert len(ended) == 4 + 2

    async def test_up_to_eight_are_under_way_at_once(self, webhooks, receiver):
        receiver.answers.extend([b""] * 20)

        for number in range(20):
            webhooks.emit("charge.captured", subject=str(number), data={})

        assert len(await receiver.until(8)) == 8

    async def test_a_retry_that_was_sent_by_hand_meanwhile_is_not_sent_twice(
        self, webhooks, receiver, stopped_clock, promised
    ):
        receiver.then_answer(500)
        webhooks.emit("charge.captured", subject="a", data={})
        await receiver.until(1)
        (delivery,) = webhooks.newest(start=0, limit=1)

        async def waits() -> bool:
            return delivery.next_attempt_at is not None

        await promised(waits)
        webhooks.redeliver(delivery)
        await receiver.until(2)
        stopped_clock.advance(60 * SECOND)
        webhooks.emit("charge.captured", subject="b", data={})

        received = await receiver.until(3)
        ids = [webhook.id for webhook in received]
        assert len(received) == 3
        assert (ids[0] == ids[1], ids[1] == ids[2]) == (True, False)


class TestControl:
    async def test_never_shows_the_secret(self, hooked, charge, receiver):
        await charge()
        await receiver.until(1)

        for path in ("/control/webhook", "/control/webhooks", "/"):
            text = (await hooked.get(path)).text

            assert receiver.target["secret"] not in text
            if path != "/control/webhooks":
                assert receiver.target["url"] in text

    async def test_shows_what_one_says(self, hooked, charge, receiver):
        await charge()
        (received,) = await receiver.until(1)

        shown = (await hooked.get(f"/control/webhooks/{received.id}")).json()

        assert shown["payload"] == received.event
        assert shown["subject"] == "key-1"

    async def test_pages_from_the_newest_to_the_oldest(self, hooked, charge, receiver):
        for number in range(5):
            await charge(f"key-{number}")
        seen, after = [], "0"

        while after is not None:
            page = await hooked.get(f"/control/webhooks?limit=2&after={after}")
            seen += [item["subject"] for item in page.json()["items"]]
            after = page.json()["next"]

        assert seen == [f"key-{number}" for number in range(4, -1, -1)]

    async def test_an_unknown_one_is_not_found(self, payment):
        shown = await payment.get("/control/webhooks/evt_1")
        sent = await payment.post("/control/webhooks/evt_1/redeliver")

        assert (shown.status_code, sent.status_code) == (404, 404)

    async def test_a_reset_forgets_them_and_a_target_set_by_hand(
        self, hooked, charge, receiver
    ):
        await charge()
        await receiver.until(1)

        await hooked.post("/control/reset")
        await charge()

        assert (await hooked.get("/control/webhook")).json()["url"] is None
        assert (await hooked.get("/control/webhooks")).json()["items"] == []
