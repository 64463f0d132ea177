"""A provider that is silent is believed for a day by what it said of itself."""

import pytest
from aiohttp import web

from holdfast.domain.accounts import Provider, ProviderUnavailable
from holdfast.platform import http
from holdfast.platform.circuits import Circuits
from holdfast.platform.dependencies import names
from holdfast.platform.openid_providers import OpenIdProvider
from holdfast.platform.settings import Settings
from holdfast.resilience import Deadline, Pipeline
from holdfast.resilience.circuit import State
from holdfast.workflows.outside_sign_in import openid_providers


class Elsewhere:
    """A provider that says who it is, until it is told to fail."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.fails: int | None = None
        self.headers: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.fails is not None:
            return web.Response(status=self.fails, headers=self.headers)
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )


@pytest.fixture
async def elsewhere():
    elsewhere = Elsewhere()
    runner = web.ServerRunner(web.Server(elsewhere.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    elsewhere.url = f"http://{host}:{port}"
    yield elsewhere
    await runner.cleanup()


@pytest.fixture
async def provider(elsewhere, clock):
    async with http.session() as session:
        yield Provider(
            session,
            OpenIdProvider("hub", "Hub", elsewhere.url, "shop", "secret"),
            redirect_uri="http://shop.test/back",
            protect=Pipeline(Deadline(2)),
            clock=clock,
        )


class TestMetadata:
    @pytest.mark.parametrize("fails", [429, 500, 503])
    async def test_of_a_day_ago_will_do_when_there_is_no_answer(
        self, provider, elsewhere, clock, fails
    ):
        await provider.begin("/")
        elsewhere.fails = fails
        clock.advance(hours=23)

        url, _ = await provider.begin("/")

        assert url.startswith(f"{elsewhere.url}/authorize?")
        assert elsewhere.asked == 2
        clock.advance(hours=2)
        with pytest.raises(ProviderUnavailable):
            await provider.begin("/")

    async def test_is_asked_for_again_as_soon_as_there_are_answers(
        self, provider, elsewhere, clock
    ):
        await provider.begin("/")
        elsewhere.fails = 500
        clock.advance(hours=2)
        await provider.begin("/")
        elsewhere.fails = None

        await provider.begin("/")
        await provider.begin("/")

        assert elsewhere.asked == 3

    async def test_that_was_never_heard_is_no_way_out(self, provider, elsewhere):
        elsewhere.fails = 500

        with pytest.raises(ProviderUnavailable):
            await provider.begin("/")


class TestCircuit:
    @pytest.fixture
    async def shops(self, elsewhere, clock):
        """The provider with the policies that the shop puts around it."""
        said = (
            f'[{{"id": "hub", "title": "Hub", "issuer": "{elsewhere.url}", '
            '"client_id": "shop", "client_secret": "s"}]'
        )
        settings = Settings.read({"HOLDFAST_OPENID_PROVIDERS": said})
        circuits = Circuits(names(settings))
        async with http.session() as session:
            found = openid_providers(settings, session, circuits=circuits, clock=clock)
            yield found["hub"], circuits["openid-hub"].breaker

    async def test_is_one_for_each_provider_and_ends_the_asking(self, shops, elsewhere):
        hub, breaker = shops
        elsewhere.fails = 500
        while breaker.state is State.CLOSED:
            with pytest.raises(ProviderUnavailable):
                await hub.begin("/")
        asked = elsewhere.asked

        with pytest.raises(ProviderUnavailable):
            await hub.begin("/")

        assert elsewhere.asked == asked

    async def test_who_asks_for_time_is_not_given_up_on(self, shops, elsewhere):
        hub, breaker = shops
        elsewhere.fails, elsewhere.headers = 503, {"Retry-After": "1"}
        for _ in range(30):
            with pytest.raises(ProviderUnavailable):
                await hub.begin("/")

        assert breaker.state is State.CLOSED
        assert elsewhere.asked < 30

    async def test_what_is_only_read_is_asked_for_twice(self, shops, elsewhere):
        hub, _ = shops
        elsewhere.fails = 500
        with pytest.raises(ProviderUnavailable):
            await hub.begin("/")

        assert elsewhere.asked == 2
