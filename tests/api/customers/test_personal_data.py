"""Everything that is held about a person, in one file."""

import re
from typing import Any

from holdfast.domain import accounts, identity
from holdfast.kernel.ids import new_id
from holdfast.workflows.personal_tables import HELD, IMPERSONAL

from .conftest import PERSONAL_COLUMNS


def _at(path: str, found: Any) -> list[Any]:
    """What stands at a path such as ``orders.lines`` of each of the orders."""
    for step in path.split("."):
        whole = found if isinstance(found, list) else [found]
        found = [
            value
            for one in whole
            for value in (one[step] if isinstance(one[step], list) else [one[step]])
        ]
    return list(found)


class TestRegistry:
    async def test_names_every_table(self, tables):
        there_are = set(await tables())

        assert there_are - HELD.keys() - IMPERSONAL.keys() == set(), (
            "say in workflows/personal_tables.py what export and erasing do with these"
        )
        assert (HELD.keys() | IMPERSONAL.keys()) - there_are == set()
        assert HELD.keys() & IMPERSONAL.keys() == set()

    async def test_takes_no_table_for_impersonal_that_knows_accounts(self, tables):
        suspicious = {
            table
            for table, columns in (await tables()).items()
            if {"account_id", "sealed", "email_index", *PERSONAL_COLUMNS} & set(columns)
        }

        # The shop's own keys; hashes of what guesses have in common; and charges.
        others = {"signing_keys", "sign_in_failures", "discrepancies"}
        assert suspicious - HELD.keys() == others

    async def test_a_life_leaves_a_row_in_every_table(self, a_life, database):
        await a_life()

        empty = [
            table
            for table in HELD
            if not await database.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        ]

        assert empty == [], "let a_life leave something there"


class TestExport:
    async def test_holds_everything(self, client, a_life):
        ada = await a_life()

        answer = await client.post("/v1/me/export", headers=ada.headers)

        archive = answer.json()
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="personal-data-{ada.account_id}.json"'
        )
        assert set(ada.words) == set(ada.said_in(answer.text))
        assert [
            table for table, (path, _) in HELD.items() if not any(_at(path, archive))
        ] == []
        assert {order["id"] for order in archive["orders"]} == set(ada.orders)
        assert len(archive["open_carts"]) == 1
        assert archive["account"]["recovery_codes_left"] == 1
        assert archive["account"]["requests"]
        assert archive["sessions"][0]["user_agent"] == "AdasBrowser/7.1"

    async def test_holds_no_secret_and_nobody_else(self, client, a_life):
        ada, eve = await a_life(), await a_life("Evangeline")

        text = (await client.post("/v1/me/export", headers=ada.headers)).text

        assert "JBSWY3DPEHPK3PXP" not in text
        assert "argon2" not in text
        assert "token_hash" not in text
        assert [word for word in eve.said_in(text) if word not in ada.words] == []

    async def test_holds_no_link_that_opens_the_account(self, client, a_life, operator):
        # Else a program with a scope, or a clerk, could ask for a new password and
        # read here where to choose it.
        ada = await a_life()
        theirs = f"/v1/customers/{ada.account_id}/export"

        for path, headers in (("/v1/me/export", ada.headers), (theirs, operator)):
            text = (await client.post(path, headers=headers)).text
            assert "/password/reset?token=hfm_..." in text
            assert re.search(r"hf[a-z]_[\w-]{20}", text) is None

    async def test_holds_no_email_about_the_account_that_had_the_address_before(
        self, client, a_life, signed_in, shop
    ):
        ada = await a_life()
        async with shop.db.transaction() as tx:
            await accounts.set_email(
                tx, shop.vault, ada.account_id, "ada@elsewhere.example", shop.clock()
            )
        heir = await signed_in(email=ada.words[0])

        archive = (await client.post("/v1/me/export", headers=heir.headers)).json()

        assert archive["account"]["email"] == ada.words[0]
        said = [mail["subject"] for mail in archive["emails"]]
        # What a guest was sent there is its owner's, whoever that is.
        assert said == ["Your order HF-1001"]

    async def test_is_recorded_for_operators_too(self, client, a_life, operator, shop):
        ada = await a_life()

        answer = await client.post(
            f"/v1/customers/{ada.account_id}/export", headers=operator
        )

        assert set(ada.words) <= set(ada.said_in(answer.text))
        found = await identity.events(
            shop.db, shop.vault, after=None, limit=10, kind="account.exported"
        )
        (event,) = found.items
        assert event.account_id == ada.account_id
        assert event.actor.startswith("key:")

    async def test_keeps_operators_addresses_to_itself(
        self, client, a_life, operator, shop
    ):
        ada = await a_life()
        path = f"/v1/customers/{ada.account_id}/export"
        own = {**operator, "User-Agent": "OperatorsBrowser/1"}
        await client.post(path, headers=own)

        answer = await client.post("/v1/me/export", headers=ada.headers)

        assert "account.exported" in answer.text
        assert "OperatorsBrowser" not in answer.text

    async def test_of_nobody_is_not_there(self, client, operator):
        answer = await client.post(f"/v1/customers/{new_id()}/export", headers=operator)

        assert answer.status_code == 404
