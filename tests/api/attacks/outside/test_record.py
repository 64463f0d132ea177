"""A sign-in by another site's word that came to nothing is on record."""

import pytest
from elsewhere import CLIENT_ID, SECRET
from visitors import ADA

from holdfast.domain import accounts, identity

WAYS = {
    "other_sign_in": ({}, {"state": "another"}),
    "other_issuer": ({}, {"iss": "https://honest.example"}),
    "said_no": ({}, {"error": "access_denied"}),
    "no_code": ({}, {"code": ""}),
    "id_token": ({"aud": "other-client"}, {}),
    "email_not_verified": ({"email_verified": False}, {}),
}


@pytest.fixture
def failures(shop):
    """The failed sign-ins on record."""

    async def read():
        await shop.noted()
        page = await identity.events(
            shop.db, shop.vault, after=None, limit=9, kind="sign_in.failed"
        )
        return page.items

    return read


class TestRecord:
    @pytest.mark.parametrize("reason", WAYS)
    async def test_says_why_and_whose_word_it_was(
        self, liar, traveller, failures, reason
    ):
        liar.claims, answer = WAYS[reason]

        await liar.come_back(traveller, **answer)

        (event,) = await failures()
        assert (traveller.status, event.actor) == (403, "anonymous")
        assert event.detail == {
            "method": "fed",
            "issuer": liar.issuer,
            "reason": reason,
        }

    async def test_has_a_code_that_was_not_taken_and_an_answer_to_no_question(
        self, liar, traveller, failures
    ):
        liar.answers["/token"] = (400, b'{"error": "invalid_grant"}')
        await liar.come_back(traveller)
        traveller.client.cookies.clear()
        await traveller.open("/sign-in/with/elsewhere/callback", code="a-code")

        reasons = [event.detail["reason"] for event in await failures()]
        assert sorted(reasons) == ["code", "not_begun_here"]

    async def test_has_the_account_of_a_person_who_may_not_come_in(
        self, liar, traveller, ada, failures, shop
    ):
        async with shop.db.transaction() as tx:
            await accounts.disable(tx, ada.account_id, shop.clock())
        liar.claims = {"email": ADA}

        await liar.come_back(traveller)

        (event,) = await failures()
        assert event.account_id == ada.account_id

    async def test_does_not_grow_with_every_answer_and_holds_none(
        self, liar, traveller, failures, shop
    ):
        for state in ("one", "two", "three"):
            await liar.come_back(traveller, state=state)

        assert len(await failures()) == 1
        rows = await shop.db.fetch("SELECT e::text AS row FROM security_events e")
        written = "".join(row["row"] for row in rows)
        for secret in (SECRET, "a-code", liar.requests["state"], "mallory@"):
            assert secret not in written
        assert CLIENT_ID not in written

    async def test_has_nothing_of_a_provider_that_there_is_not(
        self, traveller, failures
    ):
        await traveller.open("/sign-in/with/nobody/callback", code="a", state="b")

        assert await failures() == []
