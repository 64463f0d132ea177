"""``holdfast keys rotate --data``: told what happens, and how far it is."""

import pytest

from holdfast.cli import data_keys as command
from holdfast.domain import identity, ordering
from holdfast.kernel.clock import system_clock
from holdfast.platform.data_keys import DataKeys, WrappingKeyWrong, open_vault
from holdfast.workflows.data_keys import Resealing


@pytest.fixture
def at_once(monkeypatch):
    """Nobody else runs here whom a new key would have to reach."""
    monkeypatch.setattr(command, "_SECONDS", 0)


class TestRotate:
    async def test_seals_with_a_new_key_and_writes_it_down(
        self, holdfast, at_once, database, vault, buy
    ):
        bought = await buy()

        said = await holdfast("keys", "rotate", "--data")

        assert (said.code, said.err) == (0, "")
        assert "when every process knows it" in said.out
        events = await identity.events(database, vault, after=None, limit=9)
        assert [event.kind for event in events.items] == ["data_key.rotated"]
        assert (await ordering.find(database, vault, bought.order.id)).email

    async def test_goes_alone(self, holdfast):
        for others in (("--data", "--signing"), ("--data", "--now"), ("--status",)):
            said = await holdfast("keys", "rotate", *others)
            assert said.code == 2


class TestStatus:
    async def test_says_what_is_left_and_then_that_nothing_is(
        self, holdfast, at_once, database, data_key, buy
    ):
        await buy()
        await holdfast("keys", "rotate", "--data")

        before = await holdfast("keys", "rotate", "--data", "--status")
        keys = await DataKeys.open(database, data_key, clock=system_clock)
        worker = Resealing(database, keys, lambda: system_clock() + command.KNOWN_AFTER)
        await worker.turn()
        after = await holdfast("keys", "rotate", "--data", "--status")

        assert "Rows left: 2." in before.out
        assert "Everything is sealed under the newest key." in after.out
        assert "orders" in after.out


class TestRetire:
    async def test_is_refused_while_a_process_may_use_the_old_key(
        self, holdfast, at_once
    ):
        await holdfast("keys", "rotate", "--data")

        said = await holdfast("keys", "rotate", "--data", "--retire")

        assert said.code == 1
        assert "try again in half a minute" in said.err

    async def test_says_what_was_dropped_and_what_is_in_use(
        self, holdfast, at_once, database, buy
    ):
        await buy()
        await holdfast("keys", "rotate", "--data")
        await database.fetch(
            "UPDATE data_keys SET updated_at = now() - '1 h'::interval"
        )

        said = await holdfast("keys", "rotate", "--data", "--retire")

        assert said.out.startswith("Keys dropped: 0. Older keys still in use: 1.")


class TestWrapWith:
    async def test_moves_the_keys_to_another_wrapping_key(
        self, holdfast, database, buy, tmp_path, data_key
    ):
        bought = await buy()
        where = f"file:{tmp_path / 'other.key'}"

        said = await holdfast("keys", "rotate", "--data", "--wrap-with", where)

        assert said.code == 0
        vault = await open_vault(database, where, clock=system_clock)
        found = await ordering.find(database, vault, bought.order.id)
        assert found.email == bought.order.email
        with pytest.raises(WrappingKeyWrong):
            await open_vault(database, data_key, clock=system_clock)

    async def test_takes_no_key_from_the_command_line(self, holdfast, data_key):
        said = await holdfast("keys", "rotate", "--data", "--wrap-with", data_key)

        assert said.code == 1
        assert data_key not in said.out + said.err
