"""Refused credentials are on record, and cannot fill it."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from holdfast.api import beside
from holdfast.api.refused import (
    COUNTED_SECONDS,
    FROM_ONE_NETWORK,
    IN_ALL,
    RefusedCredentials,
)
from holdfast.domain import identity, oauth
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform.db import DatabaseUnavailable
from holdfast.workflows import clients, keys
from holdfast.workflows.clients import Registration
from holdfast.workflows.refused import Refused

HERE = Origin("203.0.113.7", "curl", "a-request")
UNKNOWN = Refused.api_key(None)


class Timer:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
async def refused(database, vault, clock, timer):
    refused = RefusedCredentials(database, vault, clock=clock, timer=timer, limit=9)
    yield refused
    await refused.close()


@pytest.fixture
def events(database, vault):
    """What is on record of refusals, oldest first."""

    async def read():
        page = await identity.events(database, vault, after=None, limit=200)
        kinds = ("api_key.refused", "client.refused", "sign_in.failed")
        return [event for event in reversed(page.items) if event.kind in kinds]

    return read


@pytest.fixture
def note(refused, events):
    """Note refusals one after another; returns what is on record of them."""

    async def go(*those, address="203.0.113.7"):
        for each in those:
            refused.note(each, Origin(address))
            await refused.close()
        return await events()

    return go


def client(number):
    return Refused.client(f"client-{number}")


class TestRefusedCredentials:
    async def test_are_recorded_with_where_they_came_from(self, refused, events):
        revoked = new_id()
        refused.note(Refused.api_key(revoked), HERE)
        await refused.close()

        (event,) = await events()
        assert (event.kind, event.actor) == ("api_key.refused", "anonymous")
        assert event.detail == {"reason": "revoked", "key_id": str(revoked)}
        assert (event.address, event.user_agent) == ("203.0.113.7", "curl")

    async def test_the_same_from_one_network_is_written_once_an_hour(self, note, timer):
        assert len(await note(UNKNOWN, UNKNOWN, UNKNOWN)) == 1

        timer.now += COUNTED_SECONDS
        first, second = await note(UNKNOWN)
        assert "unrecorded" not in first.detail
        assert second.detail["unrecorded"] == 2

    async def test_one_network_writes_so_many(self, note):
        found = await note(*map(client, range(FROM_ONE_NETWORK + 5)))
        assert len(found) == FROM_ONE_NETWORK

        found = await note(client(99), address="203.0.113.8")
        assert len(found) == FROM_ONE_NETWORK + 1
        assert found[-1].detail["unrecorded"] == 5

    async def test_all_networks_together_write_so_many(self, note, refused):
        for number in range(IN_ALL + 9):
            found = await note(client(number), address=f"198.51.100.{number}")

        assert len(found) == IN_ALL

    async def test_a_network_is_all_that_one_customer_of_a_provider_has(self, note):
        await note(UNKNOWN, address="2001:db8::1")

        assert len(await note(UNKNOWN, address="2001:db8::2")) == 1

    async def test_made_up_keys_hide_no_revoked_one(self, note):
        for number in range(IN_ALL + 1):
            await note(UNKNOWN, address=f"198.51.100.{number}")

        found = await note(Refused.api_key(new_id()))

        assert found[-1].detail["reason"] == "revoked"

    async def test_what_is_remembered_goes_with_the_hour(self, note, refused, timer):
        for number in range(8):
            await note(UNKNOWN, address=f"198.51.100.{number}")
        many = len(refused)
        timer.now += COUNTED_SECONDS

        await note(UNKNOWN)

        assert len(refused) == 3 < many

    async def test_lets_no_request_fail_when_the_database_is_away(
        self, vault, clock, log
    ):
        class Away:
            def transaction(self):
                raise DatabaseUnavailable

        refused = RefusedCredentials(Away(), vault, clock=clock)
        refused.note(UNKNOWN, HERE)
        await refused.close()

        assert [line["event"] for line in log()] == ["refusal_not_recorded"]

    async def test_only_two_are_written_at_once_and_the_stop_does_not_wait(
        self, vault, clock, monkeypatch
    ):
        class Hanging:
            asked = 0

            @asynccontextmanager
            async def transaction(self):
                self.asked += 1
                await asyncio.Event().wait()
                yield

        monkeypatch.setattr(beside, "_CLOSE_SECONDS", 0.01)
        hanging = Hanging()
        refused = RefusedCredentials(hanging, vault, clock=clock)
        for number in range(5):
            refused.note(client(number), HERE)

        async with asyncio.timeout(5):
            await refused.close()

        assert hanging.asked == 2


class TestBesideTheRequest:
    """Which requests are recorded, by way of the whole API."""

    @pytest.fixture
    def asked(self, client, shop, events):
        """Send a request; returns its status and what is on record since."""

        async def go(method, path, **request):
            before = len(await events())
            answer = await client.request(method, path, **request)
            await shop.noted()
            return answer.status_code, (await events())[before:]

        return go

    async def test_an_api_key_that_was_revoked_or_never_given_out(
        self, asked, database, vault, clock
    ):
        key, token = await keys.create_key(
            database, vault, name="Ada", scopes=["orders:read"], clock=clock
        )
        await keys.revoke_key(database, vault, key.id, clock=clock)

        said = []
        for shown in (token, tokens.new_token(tokens.API_KEY), "hfk_" + "x" * 49):
            headers = {"Authorization": f"Bearer {shown}"}
            status, found = await asked("GET", "/v1/orders", headers=headers)
            assert status == 401
            said += [event.detail for event in found]
            assert shown not in str(found)

        # The last is not of our form, which costs no look into the database.
        assert said == [
            {"reason": "revoked", "key_id": str(key.id)},
            {"reason": "unknown"},
        ]

    @pytest.fixture
    def registered(self, shop):
        async def register(**changed):
            wanted = {
                "name": "Till",
                "kind": "confidential",
                "redirect_uris": (),
                "grant_types": ("client_credentials",),
                "scopes": ("inventory:read",),
                **changed,
            }
            return await clients.create(
                *(shop.db, shop.vault, Registration(**wanted)),
                giver=None,
                origin=Origin(),
                clock=shop.clock,
            )

        return register

    @pytest.mark.parametrize("path", ["token", "introspect", "revoke"])
    async def test_a_client_with_another_secret_than_its_own(
        self, asked, registered, path
    ):
        known, _ = await registered()
        form = {"grant_type": "client_credentials", "token": "x"}
        wrong = tokens.new_token(tokens.CLIENT_SECRET)

        status, (event,) = await asked(
            "POST", f"/oauth/{path}", data=form, auth=(known.id, wrong)
        )

        assert status == 401
        assert (event.kind, event.client_id) == ("client.refused", known.id)
        assert wrong not in str(event)

    async def test_a_client_without_the_secret_that_it_has(self, asked, registered):
        known, _ = await registered()
        form = {"grant_type": "client_credentials", "client_id": known.id}

        status, (event,) = await asked("POST", "/oauth/token", data=form)

        assert (status, event.client_id) == (401, known.id)

    async def test_a_client_that_opens_sessions_with_another_secret(
        self, asked, registered
    ):
        known, _ = await registered()
        body = {"email": "ada@example.com", "password": "x", "client_id": known.id}
        body["client_secret"] = tokens.new_token(tokens.CLIENT_SECRET)

        status, (event,) = await asked("POST", "/v1/sessions", json=body)

        assert (status, event.client_id) == (403, known.id)

    async def test_nothing_of_a_client_that_there_is_not_or_that_is_right(
        self, asked, registered
    ):
        known, secret = await registered()
        form = {"grant_type": "client_credentials"}

        right = await asked("POST", "/oauth/token", data=form, auth=(known.id, secret))
        nobody = await asked(
            "POST", "/oauth/token", data=form, auth=("client-of-nobody", secret)
        )

        assert (right[0], nobody[0]) == (200, 401)
        assert right[1] == nobody[1] == []

    async def test_introspection_with_a_key_of_nobody(self, asked):
        headers = {"Authorization": f"Bearer {tokens.new_token(tokens.API_KEY)}"}

        status, (event,) = await asked(
            "POST", "/oauth/introspect", data={"token": "x"}, headers=headers
        )

        assert (status, event.kind) == (401, "api_key.refused")


class TestClientRefused:
    def test_says_what_is_said_of_no_client(self):
        error = oauth.ClientRefused("till")

        assert error.error == "invalid_client"
        assert "till" not in error.description
