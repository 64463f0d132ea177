import json

import pytest

from holdfast.kernel import tokens

SIGNS_IN = (
    *("--redirect-uri", "https://books.example/callback"),
    *("--scope", "openid", "--scope", "orders:own"),
)


@pytest.fixture
def made(holdfast):
    """Register a client; returns what the command said of it."""

    async def create(*options):
        said = await holdfast("clients", "create", "Books", *options, "--json")
        assert said.code == 0, said.err
        return json.loads(said.out)

    return create


class TestCreate:
    async def test_prints_the_secret_once(self, holdfast):
        said = await holdfast("clients", "create", "Books", *SIGNS_IN)
        listed = await holdfast("clients", "list")

        (secret,) = [word for word in said.out.split() if word.startswith("hfs_")]
        assert tokens.plausible(secret, tokens.CLIENT_SECRET)
        assert "It is not shown again." in said.out
        assert "Books" in listed.out
        assert secret not in listed.out

    async def test_takes_the_grants_that_fit(self, made):
        people, alone = await made(*SIGNS_IN), await made("--scope", "orders:read")

        assert people["grant_types"] == ["authorization_code", "refresh_token"]
        assert alone["grant_types"] == ["client_credentials"]

    async def test_makes_public_clients_without_a_secret(self, made, holdfast):
        client = await made(*SIGNS_IN, "--public", "--first-party")
        shown = await holdfast("clients", "show", client["id"])

        assert client["secret"] is None
        assert "public, first party" in shown.out

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ((), "Name some scopes"),
            (("--scope", "all"), "do not exist"),
            (("--scope", "openid", "--grant", "password"), "no grant 'password'"),
            (("--scope", "orders:own"), "cannot be registered"),
        ],
    )
    async def test_says_what_is_wrong(self, holdfast, options, complaint):
        said = await holdfast("clients", "create", "Books", *options)

        assert said.code == 1
        assert complaint in said.err


class TestList:
    async def test_shows_more_than_a_page(self, holdfast, database, clock):
        await database.fetch(
            "INSERT INTO oauth_clients (id, name, kind, redirect_uris, grant_types,"
            " scopes, created_at, updated_at) SELECT 'client_' || n, 'x', 'public',"
            " '{}', '{}', '{}', $1, $1 FROM generate_series(1, 101) n",
            clock(),
        )

        said = await holdfast("clients", "list", "--json")

        assert len(json.loads(said.out)) == 101


class TestDisable:
    async def test_shows_since_when(self, holdfast, made):
        client = await made(*SIGNS_IN)

        said = await holdfast("clients", "disable", client["id"])
        shown = await holdfast("clients", "show", client["id"])
        listed = await holdfast("clients", "show", client["id"], "--json")

        assert said.out == f"Client {client['id']} (Books) is disabled.\n"
        assert "disabled:" in shown.out
        assert json.loads(listed.out)["disabled_at"] is not None

    async def test_of_nobody_says_so(self, holdfast):
        said = await holdfast("clients", "disable", "x")

        assert said.code == 1
        assert "There is no such client" in said.err


class TestRotateSecret:
    async def test_prints_another(self, holdfast, made):
        client = await made(*SIGNS_IN)

        said = await holdfast("clients", "rotate-secret", client["id"], "--json")

        assert json.loads(said.out)["secret"] not in (None, client["secret"])

    async def test_is_nothing_for_public_clients(self, holdfast, made):
        client = await made(*SIGNS_IN, "--public")

        said = await holdfast("clients", "rotate-secret", client["id"])

        assert said.code == 1
        assert "has no secret" in said.err
