import asyncio
import threading

import psutil
import pytest

from holdfast.domain.accounts import Hasher, SignInBusy


@pytest.fixture
def slow_hasher():
    """One place, two in line; a hash takes long enough to see who waits."""
    hasher = Hasher(places=1, waiting=2, memory_kib=8_192, passes=4)
    yield hasher
    hasher.close()


@pytest.fixture
def apart():
    """Hashes as a server does, in a process of its own, but at less cost."""
    hasher = Hasher(memory_kib=64, passes=1, apart=True)
    yield hasher
    hasher.close()


class TestHash:
    async def test_is_argon2id_with_the_costs_that_owasp_names(self):
        hasher = Hasher()

        phc = await hasher.hash("long and winding")

        hasher.close()
        assert phc.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    async def test_differs_each_time(self, hasher):
        assert await hasher.hash("tea for two") != await hasher.hash("tea for two")


class TestVerify:
    async def test_knows_a_password_again(self, hasher):
        phc = await hasher.hash("tea for two")

        assert await hasher.verify(phc, "tea for two")
        assert not await hasher.verify(phc, "tea for too")

    async def test_takes_both_spellings_of_a_letter(self, hasher):
        phc = await hasher.hash("caf\N{LATIN SMALL LETTER E WITH ACUTE} con leche")

        assert await hasher.verify(phc, "cafe\N{COMBINING ACUTE ACCENT} con leche")

    async def test_without_a_hash_it_says_no_after_the_same_work(self, hasher):
        assert not await hasher.verify(None, "tea for two")

    @pytest.mark.parametrize(
        "password",
        ["", "\x00", "x\ud800", "a" * 1_000_000, "\u0301\u0323" * 500_000],
        ids=["empty", "nul", "half a character", "a megabyte", "marks"],
    )
    async def test_says_no_to_whatever_is_typed(self, hasher, password):
        phc = await hasher.hash("tea for two")

        assert not await hasher.verify(phc, password)

    async def test_a_broken_hash_opens_nothing(self, hasher):
        assert not await hasher.verify("$argon2id$nonsense", "tea for two")


class TestNeedsRehash:
    async def test_tells_hashes_of_other_costs(self, hasher, slow_hasher):
        phc = await hasher.hash("tea for two")

        assert not hasher.needs_rehash(phc)
        assert slow_hasher.needs_rehash(phc)


class TestPlaces:
    async def test_refuses_those_who_find_no_place_in_line(self, slow_hasher):
        inside = [asyncio.create_task(slow_hasher.hash("x")) for _ in range(3)]
        await asyncio.sleep(0)

        with pytest.raises(SignInBusy) as refused:
            await slow_hasher.verify(None, "x")

        assert refused.value.retry_after_seconds >= 1
        assert [(await task)[:9] for task in inside] == ["$argon2id"] * 3
        assert slow_hasher.inside == 0

    async def test_admits_again_once_there_is_a_place(self, slow_hasher):
        async with asyncio.TaskGroup() as line:
            for _ in range(3):
                line.create_task(slow_hasher.hash("x"))

        assert not await slow_hasher.verify(None, "x")

    async def test_who_leaves_the_line_gives_the_place_back(
        self, slow_hasher, promised
    ):
        for _ in range(20):
            leaving = [asyncio.create_task(slow_hasher.hash("x")) for _ in range(3)]
            await asyncio.sleep(0)
            for task in leaving:
                task.cancel()
            await asyncio.wait(leaving)

            async def empty() -> bool:
                return slow_hasher.inside == 0

            await promised(empty)

        assert await slow_hasher.hash("x")

    async def test_hash_no_more_at_a_time_than_there_are_threads(self, slow_hasher):
        async with asyncio.TaskGroup() as line:
            for _ in range(3):
                line.create_task(slow_hasher.hash("x"))

        names = [t.name for t in threading.enumerate() if t.name.startswith("hash")]
        mine = [t for t in slow_hasher._threads._threads if t.name in names]
        assert len(mine) == 1


class TestApart:
    async def test_hashes_and_verifies_in_another_process(self, apart):
        phc = await apart.hash("tea for two")

        assert phc.startswith("$argon2id$v=19$m=64,t=1,p=1$")
        assert await apart.verify(phc, "tea for two")
        assert not await apart.verify(phc, "tea for too")
        assert not await apart.verify(None, "tea for two")

    @pytest.mark.parametrize(
        "password", ["", "\x00", "two\nlines", "x\ud800", "\u00e9" * 1_024]
    )
    async def test_takes_whatever_is_typed(self, apart, hasher, password):
        assert await apart.verify(await hasher.hash(password), password)
        assert await hasher.verify(await apart.hash(password), password)

    async def test_a_broken_hash_opens_nothing(self, apart):
        assert not await apart.verify("$argon2id$nonsense\n", "tea for two")

    async def test_is_busy_rather_than_wrong_where_no_process_can_be_started(
        self, apart
    ):
        apart._processes[0].close()

        with pytest.raises(SignInBusy):
            await apart.verify(None, "tea for two")

    async def test_closing_ends_the_process(self, apart):
        await apart.hash("tea for two")
        process = psutil.Process(apart._processes[0].pid)

        apart.close()

        assert not process.is_running()


class TestClose:
    async def test_leaves_no_thread_behind(self):
        hasher = Hasher(memory_kib=64, passes=1)
        await hasher.hash("x")
        (thread,) = hasher._threads._threads

        hasher.close()

        assert not thread.is_alive()


class TestTurn:
    async def test_lets_a_few_through_at_a_time_in_the_order_they_came(self):
        hasher = Hasher(places=1, waiting=10)
        order, inside, most = [], 0, 0

        async def enter(number):
            nonlocal inside, most
            async with hasher.turn():
                inside += 1
                most = max(most, inside)
                order.append(number)
                await asyncio.sleep(0)
                inside -= 1

        async with asyncio.TaskGroup() as group:
            for number in range(11):
                group.create_task(enter(number))

        assert most == 3
        assert order == list(range(11))
        hasher.close()

    async def test_turns_away_whom_the_line_has_no_room_for(self):
        hasher = Hasher(places=1, waiting=0)

        async with hasher.turn():
            with pytest.raises(SignInBusy):
                async with hasher.turn():
                    pass
        async with hasher.turn():
            pass
        hasher.close()
