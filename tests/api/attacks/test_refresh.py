"""Attacks on refresh tokens and on the limits of what was granted (RFC 9700 4.14)."""

import asyncio

import pytest

from holdfast.domain.oauth import AuthorizationError


@pytest.fixture
async def app(registered):
    return await registered()


@pytest.fixture
async def thief(registered):
    """Another client, as good as any."""
    return await registered(name="Thief")


@pytest.fixture
async def person(somebody):
    return await somebody()


@pytest.fixture
def works(client):
    """Whether an access token still opens anything."""

    async def ask(token):
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.get("/oauth/userinfo", headers=headers)).is_success

    return ask


class TestRefreshReuse:
    async def test_ends_the_family(self, app, person, clock, works, recorded):
        first = await app.sign_in(person)
        second = (await app.refresh(first["refresh_token"])).json()
        clock.advance(seconds=11)

        stolen = await app.refresh(first["refresh_token"])

        assert stolen.status_code == 400
        assert stolen.json()["error"] == "invalid_grant"
        assert (await app.refresh(second["refresh_token"])).status_code == 400
        assert not await works(second["access_token"])
        assert (await recorded()).count("refresh_token.reused") == 1

    async def test_by_another_client_is_refused(self, app, thief, person):
        said = await app.sign_in(person)

        stolen = await thief.refresh(said["refresh_token"])

        assert stolen.json()["error"] == "invalid_grant"
        assert (await app.refresh(said["refresh_token"])).status_code == 200

    async def test_of_a_public_clients_is_noticed_too(self, registered, person, clock):
        app = await registered(kind="public")
        first = await app.sign_in(person)
        second = (await app.refresh(first["refresh_token"])).json()
        clock.advance(minutes=1)
        await app.refresh(first["refresh_token"])

        assert (await app.refresh(second["refresh_token"])).status_code == 400

    async def test_of_an_expired_token_is_refused(self, app, person, clock):
        said = await app.sign_in(person)
        clock.advance(days=30)

        assert (await app.refresh(said["refresh_token"])).status_code == 400


class TestRefreshRace:
    async def test_within_ten_seconds_is_no_attack(self, app, person, clock, recorded):
        first = await app.sign_in(person)

        async with asyncio.TaskGroup() as at_once:
            twice = [
                at_once.create_task(app.refresh(first["refresh_token"]))
                for _ in range(4)
            ]
        clock.advance(seconds=10)
        late = await app.refresh(first["refresh_token"])

        answers = [*(task.result() for task in twice), late]
        assert [answer.status_code for answer in answers] == [200] * 5
        (child,) = {answer.json()["refresh_token"] for answer in answers}
        assert "refresh_token.reused" not in await recorded()
        assert (await app.refresh(child)).status_code == 200

    async def test_won_by_a_thief_is_noticed_at_the_next_use(
        self, app, person, clock, recorded
    ):
        first = (await app.sign_in(person))["refresh_token"]
        stolen = (await app.refresh(first)).json()
        owned = (await app.refresh(first)).json()
        clock.advance(minutes=9)
        again = (await app.refresh(stolen["refresh_token"])).json()
        clock.advance(minutes=9)

        assert (await app.refresh(owned["refresh_token"])).status_code == 400
        assert (await app.refresh(again["refresh_token"])).status_code == 400
        assert (await recorded()).count("refresh_token.reused") == 1

    async def test_that_comes_a_step_late_gets_the_end_of_the_line(
        self, app, person, recorded
    ):
        first = (await app.sign_in(person))["refresh_token"]
        second = (await app.refresh(first)).json()["refresh_token"]
        third = (await app.refresh(second)).json()["refresh_token"]

        late = (await app.refresh(first)).json()["refresh_token"]

        assert late == third
        assert "refresh_token.reused" not in await recorded()

    async def test_does_not_make_the_grace_longer(self, app, person, clock):
        token = (await app.sign_in(person))["refresh_token"]
        for _ in range(3):
            answer = await app.refresh(token)
            clock.advance(seconds=4)

        assert answer.status_code == 200
        assert (await app.refresh(token)).status_code == 400


class TestScopeWidening:
    async def test_at_refresh_is_refused_and_spends_nothing(self, app, person):
        token = (await app.sign_in(person, scope="orders:own offline_access"))[
            "refresh_token"
        ]

        wider = await app.refresh(token, scope="orders:own email")

        assert wider.json()["error"] == "invalid_scope"
        assert (await app.refresh(token)).status_code == 200

    async def test_beyond_the_client_is_refused(self, app):
        with pytest.raises(AuthorizationError) as refusal:
            await app.ask(scope="openid account:write")

        assert refusal.value.error == "invalid_scope"

    async def test_beyond_the_person_is_left_out(self, registered, person):
        app = await registered(scopes=("openid", "roles:write"))

        assert (await app.sign_in(person))["scope"] == "openid"

    async def test_with_nothing_left_gives_no_code(self, registered, person):
        app = await registered(scopes=("roles:write",))

        assert (await app.answer(person))["error"] == "access_denied"

    async def test_by_a_redemption_that_names_more_is_ignored(self, app, person):
        code = await app.code(person, scope="openid")

        answer = await app.redeem(code, scope="openid email orders:own")

        assert answer.json()["scope"] == "openid"
