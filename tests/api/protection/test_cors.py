"""A page may read what its origin was allowed to, refusals included, and no cookie."""

import pytest
from litestar import Response

from holdfast.api.protection.cors import Origins, is_open
from holdfast.api.routes import ROUTES
from holdfast.platform.settings import BadSettings, Settings

STORE = "https://store.example"
ASKING = {"Origin": STORE, "Access-Control-Request-Method": "PUT"}


async def show():
    return Response({"tea": True}, headers={"ETag": '"1"'})


async def fail():
    raise ValueError("broken")


@pytest.fixture
def site(edge, route):
    def make(origins):
        return edge(
            route("GET", "/v1/tea", show),
            route("GET", "/v1/broken", fail),
            route("GET", "/v1/mine", show, scope="orders:read"),
            route("POST", "/oauth/token", show),
            route("GET", "/sign-in", show),
            HOLDFAST_CORS_ORIGINS=origins,
        )

    return make


def marks_of(answer):
    return {k: v for k, v in answer.headers.items() if k.startswith("access-control")}


class TestPreflight:
    async def test_says_what_the_page_may_send(self, site):
        answer = await site(STORE).client.options("/v1/tea", headers=ASKING)

        assert answer.status_code == 204
        assert answer.content == b""
        assert marks_of(answer) == {
            "access-control-allow-origin": STORE,
            "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
            "access-control-allow-headers": (
                "Authorization, Content-Type, Idempotency-Key, If-Match, "
                "If-None-Match, Waiting-Room-Ticket, X-Request-Id, "
                "X-Request-Timeout-Ms"
            ),
            "access-control-max-age": "7200",
        }
        assert answer.headers["vary"] == "origin"

    async def test_needs_no_credentials_and_asks_nobody(self, site):
        shop = site(STORE)

        answer = await shop.client.options("/v1/mine", headers=ASKING)

        assert answer.status_code == 204
        assert shop.database.asked == 0

    async def test_of_another_origin_is_allowed_nothing(self, site):
        for origin in ("https://evil.example", "null", f"{STORE}.evil.example", ""):
            answer = await site(STORE).client.options(
                "/v1/tea", headers={**ASKING, "Origin": origin}
            )

            assert answer.status_code == 204
            assert marks_of(answer) == {}

    async def test_is_not_any_options_request(self, site):
        answer = await site(STORE).client.options("/v1/tea")

        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


class TestAnswers:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/v1/tea", 200),
            ("/v1/mine", 401),
            ("/v1/nowhere", 404),
            ("/v1/broken", 500),
        ],
    )
    async def test_can_be_read_whatever_they_say(self, site, path, status):
        answer = await site(STORE).client.get(path, headers={"Origin": STORE})

        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == STORE
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {
            *("RateLimit", "RateLimit-Policy", "Retry-After", "ETag", "Location"),
            *("X-Request-Id", "Idempotent-Replayed", "Link"),
        } == set(exposed)

    async def test_include_those_of_the_token_endpoint(self, site):
        answer = await site(STORE).client.post(
            "/oauth/token", headers={"Origin": STORE}
        )

        assert answer.headers["access-control-allow-origin"] == STORE

    async def test_never_allow_cookies(self, site):
        for origins in (STORE, "*", f"{STORE} *"):
            for ask in (site(origins).client.get, site(origins).client.options):
                answer = await ask("/v1/tea", headers=ASKING)
                assert "access-control-allow-credentials" not in answer.headers

    async def test_of_other_origins_are_kept_from_their_pages(self, site):
        shop = site(STORE)
        for asking in ({"Origin": "https://evil.example"}, {}):
            answer = await shop.client.get("/v1/tea", headers=asking)

            assert answer.status_code == 200
            assert marks_of(answer) == {}
            # Or a cache would give one page the answer to another.
            assert answer.headers["vary"] == "origin"

    async def test_are_the_same_for_all_where_all_may(self, site):
        answer = await site("*").client.get("/v1/tea", headers={"Origin": "null"})

        assert answer.headers["access-control-allow-origin"] == "*"
        assert "vary" not in answer.headers

    async def test_of_two_origins_are_nobodys(self, site):
        two = [("Origin", STORE), ("Origin", STORE)]

        assert marks_of(await site(STORE).client.get("/v1/tea", headers=two)) == {}

    async def test_are_not_marked_by_default(self, site):
        answer = await site("").client.get("/v1/tea", headers={"Origin": STORE})

        assert marks_of(answer) == {}
        assert "vary" not in answer.headers

    async def test_of_pages_for_people_are_closed(self, site):
        for ask in (site("*").client.get, site("*").client.options):
            assert marks_of(await ask("/sign-in", headers=ASKING)) == {}


CLOSED = [
    *("/account", "/account/sessions/end", "/docs", "/docs/assets/{name}"),
    *(
        "/drops/{drop_id:uuid}",
        "/email/confirm",
        "/livez",
        "/metrics",
        "/oauth/authorize",
        "/oauth/introspect",
    ),
    *("/pages/{name}", "/password/forgot", "/password/reset", "/readyz", "/sign-in"),
    *("/sign-in/code", "/sign-in/join", "/sign-in/link", "/sign-in/with/{provider}"),
    *("/sign-in/with/{provider}/callback", "/sign-out", "/sign-up"),
    *("/sign-up/confirm", "/v1/webhooks/carrier", "/v1/webhooks/payments"),
]


class TestIsOpen:
    def test_is_true_of_everything_but_pages_probes_and_what_servers_call(self):
        closed = sorted({r.path for r in ROUTES if not is_open(r.path)})

        assert closed == CLOSED

    def test_marks_nothing_where_it_is_not(self):
        assert Origins(["*"]).marks("/metrics", []) == ()


class TestSetting:
    @pytest.mark.parametrize(
        "origin",
        [
            *("https://store.example", "http://localhost:3000", "https://a.b:8443"),
            *("https://[2001:db8::1]:444", "*", "http://127.0.0.1"),
        ],
    )
    def test_takes_origins_as_browsers_write_them(self, origin):
        settings = Settings.read({"HOLDFAST_CORS_ORIGINS": f"{STORE}, {origin}"})

        assert settings.cors_origins == (STORE, origin)

    @pytest.mark.parametrize(
        "odd",
        [
            *("store.example", "https://store.example/", "https://Store.example"),
            *("https://*.store.example", "null", "ftp://store.example", "https://"),
            *("https://store.example:443", "http://store.example:80", "https://é.eu"),
        ],
    )
    def test_refuses_what_no_browser_sends(self, odd):
        with pytest.raises(BadSettings, match=r"^HOLDFAST_CORS_ORIGINS must be orig"):
            Settings.read({"HOLDFAST_CORS_ORIGINS": odd})

    def test_is_https_where_it_matters(self):
        with pytest.raises(BadSettings, match="ORIGINS must be https:// in staging"):
            Settings.read(
                {
                    "HOLDFAST_ENV": "staging",
                    "HOLDFAST_CORS_ORIGINS": "http://store.example",
                }
            )
