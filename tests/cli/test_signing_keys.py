import json

import pytest

from holdfast.domain import identity, oauth
from holdfast.kernel.clock import system_clock


@pytest.fixture
def ring(database, vault):
    return oauth.KeyRing(database, vault, system_clock)


@pytest.fixture
def listed(holdfast):
    """The signing keys as the command shows them to programs."""

    async def read():
        return json.loads((await holdfast("keys", "list", "--signing", "--json")).out)

    return read


class TestRotate:
    async def test_lists_a_key_that_signs_later(self, holdfast, ring, listed):
        old = await ring.signer()
        said = await holdfast("keys", "rotate")

        new, before = await listed()
        assert said.code == 0
        assert new["id"] in said.out
        assert "10 minutes" in said.out
        assert (new["state"], before["state"]) == ("waits", "signs")
        assert before["id"] == old.id

    async def test_now_withdraws_every_older_key(self, holdfast, ring, listed):
        await ring.signer()
        said = await holdfast("keys", "rotate", "--signing", "--now")

        new, before = await listed()
        assert new["id"] in said.out
        assert (new["state"], before["state"]) == ("signs", "withdrawn")

    async def test_is_recorded_as_done_at_the_command_line(
        self, holdfast, database, vault
    ):
        await holdfast("keys", "rotate")

        page = await identity.events(database, vault, after=None, limit=5)
        (event,) = page.items
        assert (event.kind, event.actor) == ("signing_key.rotated", "command_line")


class TestList:
    async def test_shows_signing_keys_but_not_what_they_are(self, holdfast, ring):
        key = await ring.signer()

        said = await holdfast("keys", "list", "--signing")
        for_programs = await holdfast("keys", "list", "--signing", "--json")

        assert key.id in said.out
        assert "signs" in said.out
        private = key.private.as_dict(private=True)["d"]
        assert private not in said.out + for_programs.out
