import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from holdfast.api.routes import ROUTES
from holdfast.domain.identity import IDENTITY_SCOPES, SCOPES

ADDRESSES = (
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
)


@pytest.fixture
async def told(client):
    """What the server tells of itself."""
    return (await client.get(ADDRESSES[1])).raise_for_status().json()


class TestMetadata:
    async def test_is_the_same_at_both_addresses_and_may_be_kept(self, client):
        answers = [await client.get(address) for address in ADDRESSES]

        assert answers[0].content == answers[1].content
        for answer in answers:
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["cache-control"] == "public, max-age=300"

    def test_names_the_issuer_letter_by_letter(self, told, shop):
        assert told["issuer"] == shop.settings.public_url

    async def test_names_addresses_that_are_there(self, told, client):
        issuer = told["issuer"]
        listed = {
            name: address.removeprefix(issuer)
            for name, address in told.items()
            if name.endswith(("_endpoint", "_uri"))
        }
        served = {route.path for route in ROUTES}

        assert set(listed.values()) <= served
        assert len(listed) == 6
        for path in listed.values():
            answer = await client.get(path)
            # Those that take forms say so; none of them is unknown.
            assert answer.status_code in (200, 400, 401, 405, 422), path

    async def test_lists_the_client_authentication_that_the_endpoints_demand(
        self, told, client
    ):
        for name in ("token", "revocation", "introspection"):
            path = told[f"{name}_endpoint"]
            form = {"token": "x", "grant_type": "client_credentials"}
            answer = await client.post(path, data=form, auth=("nobody", "wrong"))
            assert answer.status_code == 401, name
            assert answer.json()["error"] == "invalid_client", name

    async def test_promises_no_grant_that_the_token_endpoint_refuses(
        self, told, client
    ):
        for grant in [*told["grant_types_supported"], "password", "implicit"]:
            fields = {"grant_type": grant, "client_id": "nobody"}
            for name in ("code", "redirect_uri", "code_verifier", "refresh_token"):
                fields[name] = "x"
            answer = await client.post(told["token_endpoint"], data=fields)
            known = answer.json()["error"] != "unsupported_grant_type"
            assert known == (grant in told["grant_types_supported"]), grant

    def test_lists_every_scope(self, told):
        assert set(told["scopes_supported"]) == SCOPES | IDENTITY_SCOPES.keys()

    def test_offers_nothing_that_rfc_9700_advises_against(self, told):
        assert told["code_challenge_methods_supported"] == ["S256"]
        assert told["response_types_supported"] == ["code"]
        assert told["authorization_response_iss_parameter_supported"] is True
        assert told["id_token_signing_alg_values_supported"] == ["ES256"]
        assert told["request_uri_parameter_supported"] is False


class TestJwks:
    async def test_holds_the_key_of_an_access_token(self, client, told, signed_in):
        ada = await signed_in()

        listed = (await client.get(told["jwks_uri"])).json()
        token = jwt.decode(
            ada.token, KeySet.import_key_set(listed), algorithms=["ES256"]
        )

        assert token.claims["iss"] == told["issuer"]
        assert token.claims["sub"] == str(ada.account_id)

    async def test_may_be_kept_half_as_long_as_a_key_waits(self, client):
        answer = await client.get("/oauth/jwks")

        assert answer.headers["cache-control"] == "public, max-age=300"
        assert "d" not in answer.json()["keys"][0]
