import pytest

from holdfast.domain import oauth
from holdfast.domain.oauth import ClientInvalid

PERSONAL = frozenset({"orders:own", "openid"})
FINE = {
    "kind": "confidential",
    "redirect_uris": ("https://app.example/callback",),
    "grant_types": ("authorization_code", "refresh_token"),
    "scopes": ("openid", "orders:read"),
    "personal": PERSONAL,
}


@pytest.fixture
def faults():
    """Where a client is at fault, and what is said of it."""

    def find(**changed):
        try:
            oauth.check_client(**{**FINE, **changed})
        except ClientInvalid as invalid:
            return {fault["pointer"]: fault["detail"] for fault in invalid.errors}
        return {}

    return find


class TestRedirectUri:
    @pytest.mark.parametrize(
        ("uri", "kind"),
        [
            ("https://app.example/callback", "confidential"),
            ("https://app.example", "public"),
            ("https://app.example:8443/a/b?tenant=1&x=%20", "confidential"),
            ("http://127.0.0.1/callback", "public"),
            ("http://127.0.0.1:8080/callback", "confidential"),
            ("http://[::1]/callback", "public"),
            ("http://localhost:3000/callback", "public"),
            ("com.example.app:/callback", "public"),
            ("com.example.app://sign-in/done", "public"),
        ],
    )
    def test_may_be_where_only_the_client_listens(self, faults, uri, kind):
        assert faults(kind=kind, redirect_uris=(uri,)) == {}

    @pytest.mark.parametrize(
        ("uri", "detail"),
        [
            ("https://a.example/" + "x" * 2000, "Longer than 2000 characters"),
            ("https://a.example/#", "Has a fragment"),
            ("https://a.example/a b", "Has characters that an address cannot have"),
            ("https://ä.example/", "Has characters that an address cannot have"),
            ("https://a.example\\@b/", "Has characters that an address cannot have"),
            ("https://a.example/\n", "Has characters that an address cannot have"),
            ("https://[::1", "Is not an address"),
            ("https://a.example:port/", "Is not an address"),
            ("//a.example/", "Does not begin with a scheme in small letters"),
            ("HTTPS://a.example/", "Does not begin with a scheme in small letters"),
            ("", "Has characters that an address cannot have"),
            ("https://user@a.example/", "Names a user"),
            ("https://a.example/../b", "Has . or .. in its path"),
            ("https://a.example/./b", "Has . or .. in its path"),
            ("https://a.example/%2E%2e/b", "Has . or .. in its path"),
            ("https://a.example/?iss=x", "Has a parameter of answers: iss"),
            ("https://a.example/?a&%63ode=", "Has a parameter of answers: code"),
            ("https:///callback", "Names no host"),
            ("https://*.example/", "Names no host"),
            ("https://a.example:0/", "Names no host"),
            ("http://a.example/", "http is only for this machine"),
            ("http://127.0.0.1.b.example/", "http is only for this machine"),
            ("javascript:alert(1)", "Is neither https nor a scheme with a dot"),
            ("data:text/html,x", "Is neither https nor a scheme with a dot"),
            ("myapp://callback", "Is neither https nor a scheme with a dot"),
        ],
    )
    def test_must_lead_to_nobody_else(self, faults, uri, detail):
        said = faults(kind="public", redirect_uris=(uri,))

        assert said["/redirect_uris/0"].startswith(detail)

    def test_of_a_server_has_no_scheme_of_its_own(self, faults):
        said = faults(redirect_uris=("com.example.app:/callback",))

        assert said == {
            "/redirect_uris/0": "Only public clients have schemes of their own"
        }


class TestCheckClient:
    def test_takes_a_service_without_people(self, faults):
        service = {
            "redirect_uris": (),
            "grant_types": ("client_credentials",),
            "scopes": ("orders:read",),
        }

        assert faults(**service) == {}
        assert faults(**{**service, "scopes": ("orders:own",)}) == {
            "/scopes": "Only a person can hold orders:own"
        }

    def test_names_every_fault_at_once(self, faults):
        said = faults(
            kind="public",
            redirect_uris=(),
            grant_types=("authorization_code", "client_credentials"),
        )

        assert said == {
            "/redirect_uris": "A client that signs people in needs an address",
            "/grant_types": "A public client has no credentials",
        }

    def test_wants_something_to_refresh(self, faults):
        said = faults(grant_types=("refresh_token",), scopes=("openid",))

        assert said == {"/grant_types": "refresh_token needs authorization_code"}


class TestChallengeOf:
    def test_is_that_of_the_standard(self):
        # RFC 7636, appendix B.
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

        assert (
            oauth.challenge_of(verifier)
            == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        )

    @pytest.mark.parametrize("verifier", ["x" * 42, "x" * 129, "x" * 42 + "ä", ""])
    def test_is_nothing_for_what_is_no_verifier(self, verifier):
        assert oauth.challenge_of(verifier) is None
