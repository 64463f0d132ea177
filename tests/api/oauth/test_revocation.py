import pytest

from holdfast.kernel import tokens


@pytest.fixture
async def app(registered):
    return await registered()


@pytest.fixture
async def said(app, somebody):
    """The tokens of somebody who signed in."""
    return await app.sign_in(await somebody())


@pytest.fixture
def works(client):
    async def ask(token):
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.get("/oauth/userinfo", headers=headers)).is_success

    return ask


class TestRevoke:
    async def test_of_an_access_token_leaves_the_rest(self, app, said, works):
        answer = await app.post("/oauth/revoke", token=said["access_token"])

        assert (answer.status_code, answer.content) == (200, b"")
        assert not await works(said["access_token"])
        assert (await app.refresh(said["refresh_token"])).status_code == 200

    async def test_works_within_five_seconds_where_the_token_was_known(
        self, app, said, works, clock
    ):
        assert await works(said["access_token"])
        await app.post("/oauth/revoke", token=said["access_token"])
        clock.advance(seconds=5)

        assert not await works(said["access_token"])

    async def test_of_a_refresh_token_ends_all(self, app, said, works, recorded):
        await app.post("/oauth/revoke", token=said["refresh_token"])

        assert not await works(said["access_token"])
        assert (await app.refresh(said["refresh_token"])).status_code == 400
        assert (await recorded())[-1] == "token.revoked"

    async def test_may_be_done_again(self, app, said, recorded):
        for token in (said["access_token"], said["refresh_token"]) * 2:
            answer = await app.post(
                "/oauth/revoke", token=token, token_type_hint="refresh_token"
            )
            assert answer.status_code == 200

        assert (await recorded()).count("token.revoked") == 2

    @pytest.mark.parametrize("token", ["x", "a.b.c", tokens.mint("hfr_", b"\0" * 32)])
    async def test_of_an_unknown_token_is_no_error(self, app, token):
        answer = await app.post("/oauth/revoke", token=token)

        assert (answer.status_code, answer.content) == (200, b"")

    async def test_of_another_clients_tokens_does_nothing(
        self, registered, said, works, app
    ):
        other = await registered()

        for name in ("access_token", "refresh_token"):
            answer = await other.post("/oauth/revoke", token=said[name])
            assert answer.status_code == 200

        assert await works(said["access_token"])
        assert (await app.refresh(said["refresh_token"])).status_code == 200

    async def test_is_for_public_clients_too(self, registered, somebody, works):
        app = await registered(kind="public")
        said = await app.sign_in(await somebody())

        await app.post("/oauth/revoke", token=said["refresh_token"])

        assert not await works(said["access_token"])

    async def test_needs_the_client_and_a_token(self, app, said):
        assert (await app.post("/oauth/revoke")).json()["error"] == "invalid_request"
        app.auth = None
        answer = await app.post("/oauth/revoke", token=said["access_token"])
        assert answer.json()["error"] == "invalid_client"
