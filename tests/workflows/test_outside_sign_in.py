"""What a provider's word opens, and what it does not."""

import msgspec
import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import (
    LinkedIdentityNotFound,
    OutsideSignInRefused,
    ProviderNotFound,
)
from holdfast.domain.identity import Origin
from holdfast.kernel.ids import new_id
from holdfast.workflows.outside_sign_in import OutsideSignIn, Pending

ISSUER = "https://id.example"


@pytest.fixture
def doors(database, vault, clock):
    return OutsideSignIn(database, vault, {}, clock)


@pytest.fixture
async def account_id(database, vault, clock):
    async with database.transaction() as tx:
        account = await accounts.create(
            tx,
            vault,
            account_id=new_id(),
            email="ada@example.com",
            password=None,
            verified_at=clock(),
            at=clock(),
        )
    return account.id


@pytest.fixture
def agreed(account_id, clock):
    return Pending(
        provider="elsewhere",
        issuer=ISSUER,
        subject="ada",
        email="ada@example.com",
        given_name=None,
        family_name=None,
        account_id=account_id,
        return_to="",
        vouched_at=clock(),
        agreed=True,
    )


class TestLink:
    async def test_is_made_once(self, doors, agreed, account_id, database, clock):
        await doors.link(agreed, account_id, origin=Origin())
        clock.advance(seconds=1)
        await doors.link(agreed, account_id, origin=Origin())

        (linked,) = await accounts.linked_identities_of(database, account_id)
        assert linked.issuer == ISSUER
        events = await database.fetch("SELECT kind, detail FROM security_events")
        assert [event["kind"] for event in events] == ["identity.linked"]

    @pytest.mark.parametrize("change", [{"agreed": False}, {"account_id": new_id()}])
    async def test_needs_the_consent_of_this_account(
        self, doors, agreed, account_id, database, change
    ):
        pending = msgspec.structs.replace(agreed, **change)

        with pytest.raises(OutsideSignInRefused):
            await doors.link(pending, account_id, origin=Origin())

        assert await accounts.linked_identities_of(database, account_id) == []

    async def test_keeps_no_name_that_the_provider_gave(
        self, doors, agreed, account_id, database
    ):
        await doors.link(agreed, account_id, origin=Origin())

        row = await database.fetchrow("SELECT * FROM linked_identities")
        assert b"ada" not in row["subject_index"]
        assert len(row["subject_index"]) == 32


class TestUnlink:
    async def test_of_what_is_not_linked_says_so(self, doors, account_id):
        with pytest.raises(LinkedIdentityNotFound):
            await doors.unlink(account_id, ISSUER, origin=Origin())

    async def test_ends_it(self, doors, agreed, account_id, database):
        await doors.link(agreed, account_id, origin=Origin())

        await doors.unlink(account_id, ISSUER, origin=Origin())

        assert await accounts.linked_identities_of(database, account_id) == []


class TestBegin:
    async def test_with_nobody_known_is_refused(self, doors):
        with pytest.raises(ProviderNotFound):
            await doors.begin("elsewhere", "")
