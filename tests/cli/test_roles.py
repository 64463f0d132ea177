import json

import pytest

from holdfast.domain import accounts, identity
from holdfast.kernel.ids import new_id

ADA = "ada@example.com"


@pytest.fixture
async def ada(database, vault, clock):
    """An account without any role."""
    account_id = new_id()
    async with database.transaction() as tx:
        await accounts.create(
            *(tx, vault),
            account_id=account_id,
            email=ADA,
            password=None,
            verified_at=clock(),
            at=clock(),
        )
    return account_id


@pytest.fixture
def roles(holdfast):
    """The roles as the command lists them, by name."""

    async def read(*arguments):
        said = await holdfast("roles", "list", *arguments, "--json")
        return {role["name"]: role for role in json.loads(said.out)}

    return read


class TestList:
    async def test_shows_what_each_role_allows(self, holdfast, roles):
        shown = (await holdfast("roles", "list")).out

        assert "catalogue_manager" in shown
        assert "all" in shown
        assert set((await roles())["admin"]["scopes"]) == identity.SCOPES

    async def test_shows_more_than_a_page(self, roles, database, clock):
        async with database.transaction() as tx:
            for number in range(100):
                await identity.add_role(
                    tx,
                    name=f"role_{number}",
                    title="x",
                    description="",
                    scopes=[],
                    at=clock(),
                )

        assert len(await roles()) == 106


class TestCreate:
    async def test_makes_a_role(self, holdfast, roles):
        said = await holdfast(
            *("roles", "create", "gift_packers", "--description", "Pack gifts"),
            *("--scope", "orders:read", "--scope", "inventory:read"),
        )

        assert said.out == ("Role gift_packers allows: inventory:read, orders:read\n")
        role = (await roles())["gift_packers"]
        assert (role["title"], role["description"]) == ("Gift packers", "Pack gifts")
        assert role["built_in"] is False

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("support",), "There is a role of this name already."),
            (("Packers",), "The role breaks a rule."),
            (("packers", "--scope", "all"), "scopes that do not exist"),
        ],
    )
    async def test_says_in_a_sentence_why_not(self, holdfast, arguments, sentence):
        said = await holdfast("roles", "create", *arguments)

        assert said.code == 1
        assert said.err.startswith("holdfast: ")
        assert sentence in said.err


class TestChange:
    async def test_changes_what_is_named(self, holdfast, roles):
        await holdfast("roles", "create", "packers", "--scope", "orders:read")
        await holdfast("roles", "change", "packers", "--title", "The packers")
        renamed = (await roles())["packers"]
        await holdfast("roles", "change", "packers", "--scope", "keys:read")

        assert (renamed["title"], renamed["scopes"]) == ("The packers", ["orders:read"])
        assert (await roles())["packers"]["scopes"] == ["keys:read"]

    async def test_leaves_built_in_roles_alone(self, holdfast):
        said = await holdfast("roles", "change", "support", "--title", "x")

        assert said.code == 1
        assert "cannot be changed" in said.err


class TestDelete:
    async def test_deletes_a_role(self, holdfast, roles):
        await holdfast("roles", "create", "packers")
        said = await holdfast("roles", "delete", "packers")

        assert said.out == "Role packers is deleted.\n"
        assert "packers" not in await roles()


class TestGrant:
    async def test_makes_the_first_admin(self, holdfast, roles, ada, database, vault):
        for who in (ADA.upper(), str(ada)):
            said = await holdfast("roles", "grant", who, "admin")
            assert said.out == f"Account {ada} has the role admin.\n"

        assert list(await roles("--of", ADA)) == ["admin"]
        events = await identity.events(database, vault, after=None, limit=9)
        (event,) = events.items
        assert (event.kind, event.actor) == ("role.granted", "command_line")

    @pytest.mark.parametrize(
        ("who", "role", "sentence"),
        [
            ("bob@example.com", "admin", "No account has this e-mail address."),
            ("bob", "admin", "by its e-mail address or its id."),
            (ADA, "king", "There is no such role."),
            (str(new_id()), "admin", "There is no such account."),
        ],
        ids=["nobody", "no-address", "no-role", "no-account"],
    )
    async def test_says_in_a_sentence_why_not(self, holdfast, ada, who, role, sentence):
        said = await holdfast("roles", "grant", who, role)

        assert said.code == 1
        assert sentence in said.err
        assert said.err.startswith("holdfast: ")


class TestRevoke:
    async def test_takes_a_role_but_not_the_last_admin(self, holdfast, roles, ada):
        for role in ("admin", "support"):
            await holdfast("roles", "grant", ADA, role)

        taken = await holdfast("roles", "revoke", ADA, "support")
        kept = await holdfast("roles", "revoke", ADA, "admin")

        assert taken.code == 0
        assert kept.code == 1
        assert "The last administrator cannot be taken away." in kept.err
        assert list(await roles("--of", ADA)) == ["admin"]
