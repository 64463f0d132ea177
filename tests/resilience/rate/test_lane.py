"""The line to one server, against a server held by hand."""

import asyncio
import random

import pytest

from holdfast.resilience.rate import StoreUnavailable
from holdfast.resilience.rate.lane import Lane

# Long enough for a busy machine, short enough to wait for.
SOON = 0.05
LONG = 30.0


class Server:
    """Answers with what it was asked; refuses, hangs and hangs up as it is told."""

    def __init__(self) -> None:
        self.accepts = True
        self.lets_in = asyncio.Event()
        self.lets_in.set()
        self.answers = asyncio.Event()
        self.answers.set()
        self.hang_ups = 0
        self.batches = []
        self.wires = []

    def wire(self):
        wire = Wire(self)
        self.wires.append(wire)
        return wire

    @property
    def open(self):
        return [wire for wire in self.wires if wire.connected]


class Wire:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.connected = False

    async def connect(self):
        if not self.server.accepts:
            raise ConnectionRefusedError
        await self.server.lets_in.wait()
        self.connected = True

    async def ask(self, commands):
        assert self.connected
        self.server.batches.append(list(commands))
        await asyncio.sleep(0)
        await self.server.answers.wait()
        if self.server.hang_ups:
            self.server.hang_ups -= 1
            raise ConnectionResetError
        return [f"answer to {command[0]}" for command in commands]

    async def drop(self):
        self.connected = False


@pytest.fixture
def server():
    return Server()


@pytest.fixture
async def lane(server):
    lane = Lane(server.wire, connect_seconds=SOON)
    yield lane
    await lane.close()
    assert server.open == []


class TestAsk:
    async def test_gives_each_the_answer_to_its_own_question(self, lane):
        answers = [lane.ask((f"q{n}",), seconds=LONG) for n in range(100)]

        assert [await answer for answer in answers] == [
            f"answer to q{n}" for n in range(100)
        ]

    async def test_sends_what_is_asked_at_once_in_one_piece(self, lane, server):
        await lane.ask(("first",), seconds=LONG)
        server.batches.clear()

        async with asyncio.TaskGroup() as group:
            for number in range(32):
                group.create_task(_ask(lane, f"q{number}"))

        assert [len(batch) for batch in server.batches] == [32]
        assert lane.round_trips == 2

    async def test_sends_no_more_than_a_batch_at_once(self, lane, server):
        async with asyncio.TaskGroup() as group:
            for number in range(100):
                group.create_task(_ask(lane, f"q{number}"))

        assert max(len(batch) for batch in server.batches) == 32
        assert len(server.wires) == 2

    async def test_lets_wait_what_comes_while_all_connections_are_in_use(
        self, turns, lane, server
    ):
        server.answers.clear()
        answers = []
        for number in range(4):
            answers.append(lane.ask((f"q{number}",), seconds=LONG))
            await turns()
        assert len(server.batches) == 2

        server.answers.set()

        assert [await answer for answer in answers][-1] == "answer to q3"
        assert server.batches[2] == [("q2",), ("q3",)]

    async def test_sends_several_commands_in_a_row_and_answers_the_last(
        self, lane, server
    ):
        answer = await lane.ask(("may I",), ("this",), seconds=LONG)

        assert answer == "answer to this"
        assert server.batches == [[("may I",), ("this",)]]

    async def test_uses_the_connections_it_has(self, lane, server):
        for number in range(10):
            await lane.ask((f"q{number}",), seconds=LONG)

        assert len(server.wires) == 1


class TestDeadline:
    async def test_fails_what_is_not_answered_in_time(self, lane, server):
        server.answers.clear()

        with pytest.raises(StoreUnavailable, match="in time"):
            await lane.ask(("q",), seconds=SOON)

        await asyncio.sleep(0)
        assert server.open == []

    async def test_drops_the_connection_with_all_it_carries(self, lane, server):
        server.answers.clear()
        first = lane.ask(("first",), seconds=SOON)
        second = lane.ask(("second",), seconds=LONG)

        with pytest.raises(StoreUnavailable, match="in time"):
            await first
        with pytest.raises(StoreUnavailable, match="dropped"):
            await second

    async def test_goes_on_with_a_new_connection(self, lane, server):
        server.answers.clear()
        with pytest.raises(StoreUnavailable):
            await lane.ask(("q",), seconds=SOON)
        server.answers.set()

        assert await lane.ask(("next",), seconds=LONG) == "answer to next"
        assert server.batches[-1] == [("next",)]

    async def test_never_sends_later_what_has_failed(self, lane, server):
        server.lets_in.clear()
        with pytest.raises(StoreUnavailable):
            await lane.ask(("late",), seconds=SOON / 5)
        server.lets_in.set()

        await lane.ask(("next",), seconds=LONG)

        assert server.batches == [[("next",)]]

    async def test_takes_a_loop_that_stood_still_for_no_failure(self, lane, server):
        await lane.ask(("first",), seconds=SOON)
        answer = lane.ask(("q",), seconds=SOON)
        ends = asyncio.get_running_loop().time() + 2 * SOON

        while asyncio.get_running_loop().time() < ends:
            pass  # as a handler that computes does

        assert await answer == "answer to q"

    async def test_watches_those_that_come_later(self, lane, server):
        await lane.ask(("answered",), seconds=SOON)
        server.answers.clear()
        await asyncio.sleep(SOON / 2)

        with pytest.raises(StoreUnavailable):
            await lane.ask(("q",), seconds=SOON)

    async def test_stops_watching_when_nothing_is_open(self, lane, promised):
        await lane.ask(("q",), seconds=SOON)

        async def stopped():
            return lane._watch is None

        await promised(stopped)


class TestConnections:
    async def test_that_are_refused_fail_what_waits_at_once(self, lane, server):
        server.accepts = False

        with pytest.raises(StoreUnavailable, match="Refused"):
            await lane.ask(("q",), seconds=LONG)

    async def test_that_hang_fail_what_waits_soon(self, lane, server):
        server.lets_in.clear()

        with pytest.raises(StoreUnavailable, match="Timeout"):
            await lane.ask(("q",), seconds=LONG)

    async def test_that_the_server_closed_are_replaced_unnoticed(self, lane, server):
        await lane.ask(("first",), seconds=LONG)
        server.hang_ups = 1

        assert await lane.ask(("q",), seconds=LONG) == "answer to q"
        assert len(server.open) == 1

    async def test_that_are_closed_again_and_again_fail_what_they_carry(
        self, lane, server
    ):
        server.hang_ups = 3

        with pytest.raises(StoreUnavailable, match="Reset"):
            await lane.ask(("q",), seconds=LONG)

        assert await lane.ask(("next",), seconds=LONG) == "answer to next"

    async def test_lost_for_good_fail_what_they_carry(self, lane, server):
        await lane.ask(("first",), seconds=LONG)
        server.hang_ups = 1
        server.accepts = False

        with pytest.raises(StoreUnavailable, match="Refused"):
            await lane.ask(("q",), seconds=LONG)

    async def test_of_which_one_cannot_be_made_leave_the_work_to_the_other(
        self, lane, server
    ):
        await lane.ask(("first",), seconds=LONG)
        server.accepts = False

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_ask(lane, f"q{n}")) for n in range(200)]

        assert all(task.result().startswith("answer") for task in tasks)

    async def test_wake_the_other_when_one_of_them_cannot_be_made(self, lane, server):
        await lane.ask(("first",), seconds=LONG)
        server.lets_in.clear()
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(_ask(lane, f"q{number}"))
        # The second connection is still being made, and then is not.
        late = [lane.ask((f"late{n}",), seconds=LONG) for n in range(40)]

        assert len([await answer for answer in late]) == 40

    async def test_are_renewed_on_demand(self, turns, lane, server):
        server.answers.clear()
        answer = lane.ask(("q",), seconds=LONG)
        await turns()
        assert lane.busy

        lane.renew()

        with pytest.raises(StoreUnavailable, match="dropped"):
            await answer
        assert not lane.busy

    async def test_that_are_renewed_while_idle_are_replaced_at_once(self, lane, server):
        await lane.ask(("first",), seconds=LONG)

        lane.renew()

        assert await lane.ask(("q",), seconds=LONG) == "answer to q"
        assert len(server.wires) == 2


class TestClose:
    async def test_fails_whatever_is_open(self, turns, lane, server):
        server.answers.clear()
        carried = [lane.ask((f"q{n}",), seconds=LONG) for n in range(70)]
        await turns()

        await lane.close()

        for answer in carried:
            with pytest.raises(StoreUnavailable):
                await answer

    async def test_of_a_lane_that_was_never_used_does_nothing(self, server):
        await Lane(server.wire).close()

        assert server.wires == []


class TestCancellation:
    async def test_of_a_question_in_line_leaves_it_unsent(self, lane, server):
        await lane.ask(("first",), seconds=LONG)
        gone = lane.ask(("gone",), seconds=LONG)
        kept = lane.ask(("kept",), seconds=LONG)

        gone.cancel()

        assert await kept == "answer to kept"
        assert server.batches[-1] == [("kept",)]

    async def test_of_all_questions_sends_nothing(self, turns, lane, server):
        await lane.ask(("first",), seconds=LONG)

        lane.ask(("gone",), seconds=LONG).cancel()
        await turns()

        assert len(server.batches) == 1

    async def test_at_any_moment_leaves_every_other_answer_right(self, lane, server):
        dice = random.Random(11)  # noqa: S311 - the same each time

        async def ask(number):
            answer = await lane.ask((f"q{number}",), seconds=LONG)
            assert answer == f"answer to q{number}"

        for turn in range(100):
            tasks = [asyncio.create_task(ask(f"{turn}-{n}")) for n in range(20)]
            for _ in range(dice.randrange(6)):
                await asyncio.sleep(0)
            for task in dice.sample(tasks, 10):
                task.cancel()
            await asyncio.wait(tasks)
            assert not any(t.exception() for t in tasks if not t.cancelled())

        assert len(server.wires) <= 2


async def _ask(lane, word):
    return await lane.ask((word,), seconds=LONG)
