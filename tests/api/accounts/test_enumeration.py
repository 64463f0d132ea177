"""Nothing tells a stranger whether an address has an account.

Time is compared by what takes it: the same statements in the same order, and the same
number of hashes, take the same time whoever's address it is.
"""

import pytest

from holdfast.domain import accounts

KNOWN, UNKNOWN = "ada@example.com", "stranger@example.com"


@pytest.fixture
def seen(client, statements, hasher, monkeypatch):
    """What somebody can observe of a request, and what it made the shop do."""
    hashed = []
    run = hasher._run

    async def counted(job):
        hashed.append(job)
        return await run(job)

    monkeypatch.setattr(hasher, "_run", counted)

    async def ask(path, headers=None, **body):
        del statements[:], hashed[:]
        answer = await client.post(path, json=body, headers=headers)
        shown = {
            name: value
            for name, value in answer.headers.items()
            if name not in ("x-request-id", "date")
        }
        return answer.status_code, answer.content, shown, statements[:], len(hashed)

    return ask


class TestStrangers:
    @pytest.mark.parametrize("path", ["/v1/accounts", "/v1/password-resets"])
    async def test_see_the_same_for_every_address(self, signed_up, seen, path):
        await signed_up(KNOWN)
        await seen(path, email="warm@example.com")

        known = await seen(path, email=KNOWN)
        unknown = await seen(path, email=UNKNOWN)

        assert known == unknown
        assert known[:2] == (202, b"")
        assert len(known[3]) == 4, "BEGIN, a request, an event, COMMIT"
        assert known[4] == 0

    @pytest.mark.parametrize("path", ["/v1/accounts", "/v1/password-resets"])
    async def test_see_the_same_after_the_mails_ran_out(
        self, signed_up, seen, deliver, path
    ):
        await signed_up(KNOWN)
        first = await seen(path, email=KNOWN)
        for _ in range(8):
            await seen(path, email=KNOWN)
        await deliver()

        assert await seen(path, email=KNOWN) == first


class TestThoseSignedIn:
    async def test_see_the_same_for_every_new_address(
        self, signed_up, seen, deliver, signed_in, shop, hasher
    ):
        await signed_up(KNOWN)
        member = await signed_in(scopes=("account:write",))
        async with shop.db.transaction() as tx:
            phc = await hasher.hash("tea for two, please")
            await accounts.set_password(
                tx, shop.vault, member.account_id, phc, shop.clock()
            )
        body = {"headers": member.headers, "current_password": "tea for two, please"}
        await seen("/v1/me/email", email="warm@example.com", **body)
        await deliver()

        known = await seen("/v1/me/email", email=KNOWN, **body)
        mails_known = await deliver()
        unknown = await seen("/v1/me/email", email=UNKNOWN, **body)
        mails_unknown = await deliver()

        assert known == unknown
        assert known[:2] == (202, b"")
        assert known[4] == 1
        # Each goes to the new address; whoever asks sees neither.
        assert [m.recipient for m in mails_known] == [KNOWN]
        assert [m.recipient for m in mails_unknown] == [UNKNOWN]


class TestMails:
    async def test_a_sign_up_sends_one_whether_or_not_there_is_an_account(
        self, signed_up, client, deliver
    ):
        await signed_up(KNOWN)

        for email in (KNOWN, UNKNOWN):
            await client.post("/v1/accounts", json={"email": email})

        assert [m.recipient for m in await deliver()] == [KNOWN, UNKNOWN]

    async def test_hold_nothing_that_who_asked_has_written(self, client, deliver):
        await client.post(
            "/v1/accounts",
            json={"email": "cheap.pills.at.evil.example@example.com"},
            headers={
                "user-agent": "cheap pills",
                "referer": "https://evil.example/",
                "x-forwarded-for": "evil.example",
                "x-forwarded-host": "evil.example",
                "host": "evil.example",
            },
        )

        (letter,) = await deliver()
        assert "evil" not in letter.subject + letter.body
        assert "pills" not in letter.subject + letter.body
        assert "http://shop.test/sign-up/confirm?token=" in letter.body


class TestPayloads:
    async def test_hold_neither_address_nor_token(self, signed_up, database):
        await signed_up(KNOWN)

        rows = await database.fetch("SELECT payload::text AS text FROM outbox")

        assert rows
        assert not [row for row in rows if "@" in row["text"] or "hfm_" in row["text"]]
