import asyncio

import pytest

from holdfast.domain import accounts, identity
from holdfast.domain.identity import (
    AccountMayMore,
    LastAdmin,
    Member,
    RoleBuiltIn,
    RoleInUse,
    RoleNotFound,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import BadCursor, encode_cursor

BUILT_IN = {
    "admin",
    "catalogue_manager",
    "customer",
    "finance",
    "fulfilment",
    "support",
}


async def of(database):
    return (await identity.list_roles(database, after=None, limit=100)).items


class TestBuiltInRoles:
    async def test_are_in_every_shop(self, database):
        roles = await of(database)

        assert {role.name for role in roles} == BUILT_IN
        assert all(role.built_in and role.description for role in roles)

    async def test_allow_only_what_there_is(self, database):
        unknown = {
            role.name: odd
            for role in await of(database)
            if (odd := set(role.scopes) - identity.SCOPES)
        }

        assert unknown == {}, "these scopes are in no vocabulary: write a migration"

    async def test_admin_allows_everything(self, database):
        admin = await identity.find_role(database, "admin")

        missing = identity.SCOPES - set(admin.scopes)
        assert missing == set(), (
            "a new scope is given to admin by the migration of its release: "
            "UPDATE roles SET scopes = ... WHERE name = 'admin'"
        )

    async def test_customer_allows_what_is_ones_own(self, database):
        customer = await identity.find_role(database, "customer")

        assert set(customer.scopes) == identity.PERSONAL_SCOPES

    async def test_list_their_scopes_in_order_and_once(self, database):
        for role in await of(database):
            assert list(role.scopes) == sorted(set(role.scopes)), role.name

    async def test_cannot_be_locked_for_a_change(self, database):
        with pytest.raises(RoleBuiltIn):
            async with database.transaction() as tx:
                await identity.lock_role(tx, "support")

    async def test_are_not_changed_or_removed_even_when_asked(self, database, clock):
        with pytest.raises(RoleNotFound):
            async with database.transaction() as tx:
                await identity.change_role(
                    *(tx, "support"),
                    title="x",
                    description="",
                    scopes=["orders:write"],
                    at=clock(),
                )
        async with database.transaction() as tx:
            await identity.remove_role(tx, "support")

        assert {role.name for role in await of(database)} == BUILT_IN


class TestListRoles:
    async def test_gives_pages_by_name_each_role_once(self, database, a_role):
        await a_role("bakers")

        names, after = [], None
        while True:
            page = await identity.list_roles(database, after=after, limit=2)
            names += [role.name for role in page.items]
            after = page.next
            if after is None:
                break

        assert names == sorted(BUILT_IN | {"bakers"})

    async def test_refuses_a_cursor_of_another_list(self, database):
        with pytest.raises(BadCursor):
            await identity.list_roles(database, after=encode_cursor("a", "b"), limit=2)


class TestGrantRole:
    async def test_adds_what_the_role_allows(self, database, an_account):
        account_id = await an_account("customer", "finance")

        names = [r.name for r in await identity.roles_of(database, account_id)]
        scopes = await identity.scopes_of_account(database, account_id)
        assert names == ["customer", "finance"]
        assert scopes == identity.PERSONAL_SCOPES | {
            *("audit:read", "customers:read", "orders:read", "orders:refund"),
            "products:read",
        }

    async def test_says_whether_it_was_news(self, database, clock, an_account):
        account_id = await an_account()
        async with database.transaction() as tx:
            given = [
                await identity.grant_role(
                    tx, account_id, "support", by="test", at=clock()
                )
                for _ in range(2)
            ]

        assert given == [True, False]

    async def test_says_when_there_is_no_such_role(self, database, clock, an_account):
        account_id = await an_account()

        with pytest.raises(RoleNotFound):
            async with database.transaction() as tx:
                await identity.grant_role(tx, account_id, "king", by="test", at=clock())


class TestScopesOfAccount:
    async def test_is_empty_for_an_account_without_roles(self, database):
        assert await identity.scopes_of_account(database, new_id()) == frozenset()

    async def test_follows_a_change_of_the_role(
        self, database, clock, an_account, a_role
    ):
        await a_role("packers", "orders:read")
        account_id = await an_account("packers")
        async with database.transaction() as tx:
            role = await identity.lock_role(tx, "packers")
            changed = await identity.change_role(
                *(tx, "packers"),
                title="Packers",
                description="Pack",
                scopes=["inventory:read", "inventory:read"],
                at=clock(),
            )

        assert changed.id == role.id
        assert changed.scopes == ("inventory:read",)
        scopes = await identity.scopes_of_account(database, account_id)
        assert scopes == {"inventory:read"}


class TestCheckOver:
    async def test_keeps_accounts_that_may_more_out_of_reach(
        self, database, an_account
    ):
        account_id = await an_account("customer", "fulfilment")
        held = frozenset({"inventory:read", "orders:fulfil", "orders:read"})
        desk = Member(new_id(), new_id(), "app", held)

        with pytest.raises(AccountMayMore) as raised:
            await identity.check_over(database, desk, account_id)

        assert raised.value.missing == ["inventory:write"]

    async def test_lets_equals_and_customers_be_reached(self, database, an_account):
        reachable = [await an_account("customer"), await an_account("fulfilment")]
        scopes = frozenset(
            {"inventory:read", "inventory:write", "orders:fulfil", "orders:read"}
        )

        for account_id in reachable:
            desk = Member(new_id(), new_id(), "app", scopes)
            await identity.check_over(database, desk, account_id)

    async def test_keeps_ones_own_account_in_reach(self, database, an_account):
        account_id = await an_account("admin")

        oneself = Member(account_id, new_id(), "app", frozenset({"account:write"}))
        await identity.check_over(database, oneself, account_id)


class TestRevokeRole:
    async def test_says_whether_it_was_news(self, database, an_account):
        account_id = await an_account("support")
        async with database.transaction() as tx:
            taken = [
                await identity.revoke_role(tx, account_id, "support") for _ in range(2)
            ]

        assert taken == [True, False]
        assert await identity.roles_of(database, account_id) == []

    async def test_keeps_the_last_admin(self, database, an_account):
        account_id = await an_account("admin")

        with pytest.raises(LastAdmin) as raised:
            async with database.transaction() as tx:
                await identity.revoke_role(tx, account_id, "admin")

        assert raised.value.account_id == account_id
        assert len(await identity.roles_of(database, account_id)) == 1

    async def test_counts_no_admin_who_cannot_sign_in(
        self, database, clock, an_account
    ):
        active, disabled = await an_account("admin"), await an_account("admin")
        async with database.transaction() as tx:
            await accounts.disable(tx, disabled, clock())

        with pytest.raises(LastAdmin):
            async with database.transaction() as tx:
                await identity.revoke_role(tx, active, "admin")
        async with database.transaction() as tx:
            assert await identity.revoke_role(tx, disabled, "admin")

    async def test_leaves_one_of_two_admins_taken_at_once(self, database, an_account):
        both = [await an_account("admin") for _ in range(2)]
        outcomes = []

        async def take(account_id):
            try:
                async with database.transaction() as tx:
                    outcomes.append(await identity.revoke_role(tx, account_id, "admin"))
            except LastAdmin:
                outcomes.append(LastAdmin)

        async with asyncio.TaskGroup() as group:
            for account_id in both:
                group.create_task(take(account_id))

        assert sorted(outcomes, key=str) == [LastAdmin, True]

    async def test_waits_for_an_admin_being_taken_elsewhere(self, database, an_account):
        first, second = [await an_account("admin") for _ in range(2)]
        async with database.transaction() as tx:
            await identity.revoke_role(tx, first, "admin")
            waiting = asyncio.create_task(self.take(database, second))
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            assert not done

        with pytest.raises(LastAdmin):
            await waiting

    async def take(self, database, account_id):
        async with database.transaction() as tx:
            await identity.revoke_role(tx, account_id, "admin")


class TestRevokeAllRoles:
    async def test_takes_every_role(self, database, an_account):
        account_id = await an_account("support", "finance")
        async with database.transaction() as tx:
            taken = await identity.revoke_all_roles(tx, account_id)

        assert sorted(taken) == ["finance", "support"]
        assert await identity.roles_of(database, account_id) == []

    async def test_keeps_the_last_admin(self, database, an_account):
        account_id = await an_account("admin", "customer")

        with pytest.raises(LastAdmin):
            async with database.transaction() as tx:
                await identity.revoke_all_roles(tx, account_id)

        assert len(await identity.roles_of(database, account_id)) == 2


class TestRemoveRole:
    async def test_refuses_while_accounts_have_it(self, database, an_account, a_role):
        await a_role("packers")
        for _ in range(2):
            await an_account("packers")

        with pytest.raises(RoleInUse) as raised:
            async with database.transaction() as tx:
                await identity.remove_role(tx, "packers")

        assert raised.value.accounts == 2

    async def test_is_not_overtaken_by_a_grant(
        self, database, clock, an_account, a_role
    ):
        await a_role("packers")
        account_id = await an_account()

        async def give():
            async with database.transaction() as tx:
                await identity.grant_role(
                    tx, account_id, "packers", by="test", at=clock()
                )

        async with database.transaction() as tx:
            await identity.lock_role(tx, "packers")
            giving = asyncio.create_task(give())
            done, _ = await asyncio.wait([giving], timeout=0.2)
            await identity.remove_role(tx, "packers")

        assert not done
        with pytest.raises(RoleNotFound):
            await giving
        assert await identity.roles_of(database, account_id) == []
