import pytest

from holdfast.domain import accounts

PATH = "/v1/me/linked-identities"
ISSUER = "https://id.example"


@pytest.fixture
async def ada(signed_in, shop):
    """Somebody who can sign in with another site."""
    ada = await signed_in()
    async with shop.db.transaction() as tx:
        await accounts.link_identity(
            tx,
            shop.vault,
            issuer=ISSUER,
            subject="ada",
            account_id=ada.account_id,
            at=shop.clock(),
        )
    return ada


class TestBrowse:
    async def test_lists_ones_own(self, client, ada, signed_in):
        answer = await client.get(PATH, headers=ada.headers)

        assert answer.json() == {
            "items": [
                {
                    "issuer": ISSUER,
                    "provider": None,
                    "title": None,
                    "linked_at": "2026-11-27T08:00:00Z",
                }
            ]
        }
        bob = await signed_in()
        assert (await client.get(PATH, headers=bob.headers)).json() == {"items": []}

    async def test_is_for_people(self, client, an_operator):
        headers = await an_operator("users:read")

        assert (await client.get(PATH, headers=headers)).status_code == 403
        assert (await client.get(PATH)).status_code == 401


class TestUnlink:
    async def test_ends_ones_own_and_is_recorded(self, client, ada, shop):
        answer = await client.delete(
            PATH, params={"issuer": ISSUER}, headers=ada.headers
        )

        assert answer.status_code == 204
        assert (await client.get(PATH, headers=ada.headers)).json() == {"items": []}
        kinds = await shop.db.fetch("SELECT kind FROM security_events")
        assert [row["kind"] for row in kinds] == ["identity.unlinked"]

    async def test_ends_nobody_elses(self, client, ada, signed_in):
        bob = await signed_in()

        answer = await client.delete(
            PATH, params={"issuer": ISSUER}, headers=bob.headers
        )

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/linked-identity-not-found"
        mine = await client.get(PATH, headers=ada.headers)
        assert len(mine.json()["items"]) == 1
