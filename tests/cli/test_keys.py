import json
import re

from holdfast.domain.identity import KEY_SCOPES, find_by_hash
from holdfast.kernel.ids import new_id
from holdfast.kernel.tokens import fingerprint

KEY = re.compile(r"hfk_[\w-]{49}")


class TestCreate:
    async def test_prints_a_key_that_works_first(self, holdfast, database):
        said = await holdfast("keys", "create", "Ada", "--all-scopes")

        key = KEY.fullmatch(said.out.splitlines()[0])
        assert said.code == 0
        assert key is not None
        operator = await find_by_hash(database, fingerprint(key[0]))
        assert operator is not None
        assert (operator.name, operator.scopes) == ("Ada", KEY_SCOPES)

    async def test_takes_single_scopes(self, holdfast, database):
        said = await holdfast(
            *("keys", "create", "Ada", "--scope", "orders:read"),
            *("--scope", "keys:read", "--json"),
        )

        made = json.loads(said.out)
        assert made["scopes"] == ["keys:read", "orders:read"]
        operator = await find_by_hash(database, fingerprint(made["key"]))
        assert operator is not None

    async def test_needs_to_be_told_what_the_key_may(self, holdfast):
        for scopes in ((), ("--all-scopes", "--scope", "orders:read")):
            said = await holdfast("keys", "create", "Ada", *scopes)
            assert said.code == 2
            assert said.out == ""

    async def test_says_which_scopes_there_are(self, holdfast):
        said = await holdfast("keys", "create", "Ada", "--scope", "all")

        assert said.code == 1
        assert "orders:read" in said.err
        assert "Traceback" not in said.err


class TestList:
    async def test_shows_keys_but_not_what_they_are(self, holdfast):
        token = (await holdfast("keys", "create", "Ada", "--all-scopes")).out.split()[0]
        await holdfast("keys", "create", "Bob", "--scope", "orders:read")

        shown, for_programs = (
            await holdfast("keys", "list"),
            await holdfast("keys", "list", "--json"),
        )

        assert token not in shown.out + for_programs.out
        assert token[:10] in shown.out
        names = [key["name"] for key in json.loads(for_programs.out)]
        assert names == ["Bob", "Ada"]

    async def test_shows_more_than_a_page(self, holdfast, database, an_operator):
        for _ in range(101):
            await an_operator("orders:read")

        assert len(json.loads((await holdfast("keys", "list", "--json")).out)) == 101


class TestRevoke:
    async def test_makes_a_key_useless(self, holdfast, database):
        made = await holdfast("keys", "create", "Ada", "--all-scopes", "--json")
        key = json.loads(made.out)

        said = await holdfast("keys", "revoke", key["id"])

        assert said.code == 0
        assert await find_by_hash(database, fingerprint(key["key"])) is None
        (listed,) = json.loads((await holdfast("keys", "list", "--json")).out)
        assert listed["revoked_at"].endswith("Z")
        assert key["id"] in (await holdfast("keys", "list")).out

    async def test_says_in_a_sentence_when_there_is_no_such_key(self, holdfast):
        for wrong in (str(new_id()), "seven"):
            said = await holdfast("keys", "revoke", wrong)
            assert said.code == 1
            assert "Traceback" not in said.err
            assert said.err.startswith("holdfast: ")
