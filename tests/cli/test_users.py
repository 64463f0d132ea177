import io
import json
import re

import pytest

from holdfast.domain import accounts, identity, oauth
from holdfast.domain.accounts import Hasher
from holdfast.workflows.sign_in import Proved, SignIn

ADA = "ada@example.com"
PASSWORD = "tea for two, please"


@pytest.fixture
def real_hasher():
    """With the costs that commands use."""
    hasher = Hasher()
    yield hasher
    hasher.close()


@pytest.fixture
def opens(database, vault, real_hasher):
    async def check(email, password):
        account = await accounts.find_by_email(database, vault, email)
        assert account is not None
        phc = await accounts.password_of(database, vault, account.id)
        return await real_hasher.verify(phc, password)

    return check


@pytest.fixture
def typed(monkeypatch):
    """Put lines where a command reads its input."""

    def put(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return put


class TestCreate:
    async def test_makes_an_admin_with_a_password_that_works(
        self, holdfast, database, vault, opens
    ):
        said = await holdfast("users", "create", ADA, "--role", "admin", "--generate")

        assert said.code == 0
        password = re.search(r"^Password: (\S{20})$", said.out, re.MULTILINE)
        assert password is not None
        assert await opens(ADA, password[1])
        account = await accounts.find_by_email(database, vault, ADA)
        assert account is not None
        roles = await identity.roles_of(database, account.id)
        assert [role.name for role in roles] == ["admin", "customer"]

    async def test_reads_a_password_without_showing_it(self, holdfast, typed, opens):
        typed(PASSWORD + "\n")

        said = await holdfast("users", "create", ADA, "--password-stdin")

        assert said.code == 0
        assert PASSWORD not in said.out + said.err
        assert await opens(ADA, PASSWORD)

    async def test_refuses_a_bad_password_and_two_ways(self, holdfast, typed):
        typed("password1\n")

        bad = await holdfast("users", "create", ADA, "--password-stdin")
        both = await holdfast("users", "create", ADA, "--password-stdin", "--generate")

        assert bad.code == 1
        assert "most common" in bad.err
        assert both.code == 2

    async def test_sends_a_link_where_no_password_is_given(self, holdfast, database):
        said = await holdfast("users", "create", ADA)

        assert f"sent to {ADA}" in said.out
        assert await database.fetchval("SELECT count(*) FROM outbox") == 1

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("ada",), "not an e-mail address"),
            ((ADA, "--role", "king"), "role"),
        ],
        ids=["no address", "no role"],
    )
    async def test_says_what_is_wrong(self, holdfast, arguments, sentence):
        said = await holdfast("users", "create", *arguments)

        assert said.code == 1
        assert sentence in said.err
        assert "Traceback" not in said.err


class TestList:
    async def test_shows_whom_there_is(self, holdfast):
        await holdfast("users", "create", ADA)
        await holdfast("users", "create", "bob@example.com")
        await holdfast("users", "disable", "bob@example.com")

        everybody = json.loads((await holdfast("users", "list", "--json")).out)
        closed = await holdfast("users", "list", "--status", "disabled", "--json")
        one = await holdfast("users", "list", "--limit", "1", "--json")

        assert [user["email"] for user in everybody] == ["bob@example.com", ADA]
        assert [u["email"] for u in json.loads(closed.out)] == ["bob@example.com"]
        assert len(json.loads(one.out)) == 1
        assert ADA in (await holdfast("users", "list")).out
        assert (await holdfast("users", "list", "--status", "x")).code == 1


class TestShow:
    async def test_finds_by_address_and_by_id(self, holdfast):
        await holdfast("users", "create", ADA, "--role", "support")

        by_email = await holdfast("users", "show", "Ada@Example.com", "--json")
        found = json.loads(by_email.out)
        by_id = await holdfast("users", "show", found["id"])

        assert found["roles"] == ["customer", "support"]
        assert "customer, support" in by_id.out

    async def test_says_if_there_is_nobody(self, holdfast):
        for who in ("no@example.com", "nobody"):
            said = await holdfast("users", "show", who)
            assert said.code == 1
            assert said.err.startswith("holdfast: N")


class TestStatus:
    async def test_closes_and_opens(self, holdfast):
        await holdfast("users", "create", ADA)

        assert "is disabled" in (await holdfast("users", "disable", ADA)).out
        assert "is active" in (await holdfast("users", "enable", ADA)).out

    async def test_keeps_the_last_admin(self, holdfast):
        await holdfast("users", "create", ADA, "--role", "admin")

        assert (await holdfast("users", "disable", ADA)).code == 1


class TestSetEmail:
    async def test_corrects_an_address_that_is_to_be_confirmed(
        self, holdfast, database, vault
    ):
        await holdfast("users", "create", ADA, "--role", "admin", "--generate")

        said = await holdfast("users", "set-email", ADA, "countess@example.com")

        assert said.code == 0
        assert "A link to confirm it is sent there" in said.out
        found = await accounts.find_by_email(database, vault, "countess@example.com")
        assert found is not None
        assert found.email_verified_at is None
        page = await identity.events(
            database, vault, account_id=found.id, after=None, limit=1
        )
        assert (page.items[0].kind, page.items[0].actor) == (
            "email.changed",
            identity.COMMAND_LINE,
        )

    async def test_says_what_is_wrong(self, holdfast):
        await holdfast("users", "create", ADA)
        await holdfast("users", "create", "bob@example.com")

        for email, sentence in (("bob", "not an e-mail"), ("bob@example.com", "has")):
            said = await holdfast("users", "set-email", ADA, email)
            assert said.code == 1
            assert sentence in said.err
            assert "Traceback" not in said.err


class TestShortest:
    async def test_passwords_that_are_typed_or_made_up_have_so_many_characters(
        self, holdfast, typed, monkeypatch
    ):
        monkeypatch.setenv("HOLDFAST_PASSWORD_SHORTEST", "40")
        typed(PASSWORD)

        refused = await holdfast("users", "create", ADA, "--password-stdin")
        made = await holdfast("users", "create", ADA, "--generate")

        assert "fewer than 40" in refused.err
        assert re.search(r"^Password: \S{40,41}$", made.out, re.MULTILINE)


class TestResetPassword:
    async def test_sets_one_at_once(self, holdfast, typed, opens):
        await holdfast("users", "create", ADA, "--generate")
        typed(PASSWORD)

        said = await holdfast("users", "reset-password", ADA, "--password-stdin")

        assert said.code == 0
        assert await opens(ADA, PASSWORD)

    async def test_that_is_set_opens_an_account_whose_link_nobody_followed(
        self, holdfast, typed, database, vault, real_hasher, clock
    ):
        await holdfast("users", "create", ADA)
        typed(PASSWORD)
        await holdfast("users", "reset-password", ADA, "--password-stdin")

        doors = SignIn(database, vault, real_hasher, clock)
        proved = await doors.by_password(ADA, PASSWORD, origin=identity.Origin())

        assert isinstance(proved, Proved)

    async def test_sends_a_link_otherwise(self, holdfast, database):
        await holdfast("users", "create", ADA, "--generate")

        said = await holdfast("users", "reset-password", ADA)

        assert f"sent to {ADA}" in said.out
        assert await database.fetchval("SELECT count(*) FROM outbox") == 1


class TestRemoveSecondFactor:
    async def test_lets_in_whoever_lost_the_device_and_tells_them(
        self, holdfast, database, vault, clock
    ):
        await holdfast("users", "create", ADA, "--generate")
        account = await accounts.find_by_email(database, vault, ADA)
        assert account is not None
        async with database.transaction() as tx:
            secret = accounts.new_secret()
            await accounts.begin_second_factor(
                tx, vault, account.id, secret, at=clock()
            )
            factor = await accounts.find_second_factor(tx, vault, account.id)
            assert factor is not None
            await accounts.confirm_second_factor(tx, factor, 0, at=clock())

        said = await holdfast("users", "remove-second-factor", ADA)
        again = await holdfast("users", "remove-second-factor", ADA)

        assert said.out == (
            f"The second factor of {ADA} is removed; its owner is told.\n"
        )
        assert "was not there" in again.out
        assert not (await accounts.find(database, vault, account.id)).second_factor
        assert await database.fetchval("SELECT count(*) FROM outbox") == 1
        recorded = await identity.events(
            database, vault, after=None, limit=1, kind="second_factor.disabled"
        )
        assert [event.actor for event in recorded.items] == ["command_line"]


class TestFirst:
    async def test_makes_an_operator_once_and_keeps_the_password(
        self, holdfast, opens, tmp_path, database
    ):
        kept = tmp_path / "password"
        said = await holdfast("users", "first", str(kept))
        password = kept.read_text().strip()

        again = await holdfast("users", "first", str(kept))

        email = "operator@holdfast.example"
        assert said.out.strip() == f"{email} is created"
        assert again.out.strip() == f"{email} is known"
        assert kept.read_text().strip() == password
        assert kept.stat().st_mode & 0o777 == 0o600
        assert password not in said.out
        assert await opens(email, password)
        client = await oauth.find_client(database, "holdfast")
        assert client.first_party

    async def test_leaves_a_password_alone_that_was_chosen_since(
        self, holdfast, typed, opens, tmp_path
    ):
        kept = tmp_path / "password"
        await holdfast("users", "first", str(kept))
        typed(PASSWORD)
        email = "operator@holdfast.example"
        await holdfast("users", "reset-password", email, "--password-stdin")

        said = await holdfast("users", "first", str(kept))

        assert said.out.strip() == f"{email} is changed"
        assert not kept.exists()
        assert await opens(email, PASSWORD)

    async def test_moves_the_client_with_the_shop(
        self, holdfast, monkeypatch, tmp_path, database
    ):
        await holdfast("users", "first", str(tmp_path / "password"))
        monkeypatch.setenv("HOLDFAST_PUBLIC_URL", "http://127.0.0.1:9999")

        await holdfast("users", "first", str(tmp_path / "password"))

        client = await oauth.find_client(database, "holdfast")
        assert client.redirect_uris == ("http://127.0.0.1:9999/docs",)
