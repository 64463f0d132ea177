import base64
import hashlib
import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from holdfast.domain import oauth
from holdfast.kernel.ids import new_id

ISSUER = "https://shop.example"
ACCOUNT, SESSION, TOKEN = new_id(), new_id(), new_id()


class Ring:
    """Knows one key, and counts who asks."""

    def __init__(self, key):
        self.key = key
        self.asked = []

    async def verifier(self, key_id):
        self.asked.append(key_id)
        return self.key.private if key_id == self.key.id else None


@pytest.fixture
def ring():
    return Ring(oauth.new_signing_key())


@pytest.fixture
def token(ring, clock):
    return signed(ring.key, clock())


def signed(key, at, **different):
    said = {
        "issuer": ISSUER,
        "account_id": ACCOUNT,
        "client_id": "storefront",
        "session_id": SESSION,
        "scopes": ["orders:own", "account:read"],
        "authenticated_at": at,
        "methods": ["pwd", "otp"],
        "token_id": TOKEN,
        "at": at,
    }
    return oauth.sign_access_token(key, **{**said, **different})


def parts(token):
    """Header and claims, unchecked."""
    return [
        json.loads(base64.urlsafe_b64decode(part + "=="))
        for part in token.split(".")[:2]
    ]


class TestSignAccessToken:
    def test_says_what_rfc_9068_demands(self, ring, token, clock):
        header, claims = parts(token)
        now = int(clock().timestamp())

        assert header == {"alg": "ES256", "typ": "at+jwt", "kid": ring.key.id}
        assert claims == {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": str(ACCOUNT),
            "client_id": "storefront",
            "iat": now,
            "exp": now + 600,
            "jti": str(TOKEN),
            "scope": "account:read orders:own",
            "sid": str(SESSION),
            "auth_time": now,
            "amr": ["pwd", "otp"],
        }

    def test_names_the_client_where_nobody_signed_in(self, ring, clock):
        token = signed(
            *(ring.key, clock()),
            account_id=None,
            session_id=None,
            authenticated_at=None,
            methods=(),
        )

        _, claims = parts(token)
        assert claims["sub"] == "storefront"
        assert claims.keys().isdisjoint({"sid", "auth_time", "amr"})

    def test_makes_no_token_of_a_person_without_a_session(self, ring, clock):
        with pytest.raises(ValueError, match="belongs to a session"):
            signed(ring.key, clock(), session_id=None)


class TestSignIdToken:
    @pytest.fixture
    def sign(self, ring, clock):
        def make(**different):
            said = {
                "issuer": ISSUER,
                "client_id": "storefront",
                "account_id": ACCOUNT,
                "nonce": "n-0S6_WzA2Mj",
                "access_token": "access",
                "authenticated_at": clock() - timedelta(minutes=1),
                "methods": ["pwd"],
                "session_id": SESSION,
                "claims": {"email": "ada@example.com"},
                "at": clock(),
            }
            return oauth.sign_id_token(ring.key, **{**said, **different})

        return make

    def test_says_what_openid_connect_demands(self, ring, sign, clock):
        read = jwt.decode(sign(), KeySet([ring.key.private]), algorithms=["ES256"])
        now = int(clock().timestamp())
        half = hashlib.sha256(b"access").digest()[:16]

        assert read.header == {"alg": "ES256", "typ": "JWT", "kid": ring.key.id}
        assert read.claims == {
            "iss": ISSUER,
            "aud": "storefront",
            "sub": str(ACCOUNT),
            "iat": now,
            "exp": now + 600,
            "auth_time": now - 60,
            "amr": ["pwd"],
            "nonce": "n-0S6_WzA2Mj",
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            "sid": str(SESSION),
            "email": "ada@example.com",
        }

    def test_leaves_out_what_there_is_none_of(self, sign):
        _, claims = parts(sign(nonce=None, access_token=None))

        assert claims.keys().isdisjoint({"nonce", "at_hash"})

    def test_lets_no_claim_of_a_person_stand_for_another(self, sign):
        _, claims = parts(sign(claims={"sub": "somebody", "iss": "x", "aud": "y"}))

        assert claims["sub"] == str(ACCOUNT)
        assert claims["iss"] == ISSUER
        assert claims["aud"] == "storefront"

    async def test_is_no_access_token(self, ring, sign, clock):
        with pytest.raises(oauth.TokenRefused, match="type"):
            await oauth.verify(sign(), keys=ring, issuer=ISSUER, at=clock())


class TestVerify:
    async def test_reads_what_was_signed(self, ring, token, clock):
        claims = await oauth.verify(token, keys=ring, issuer=ISSUER, at=clock())

        assert claims == oauth.AccessClaims(
            token_id=TOKEN,
            key_id=ring.key.id,
            client_id="storefront",
            account_id=ACCOUNT,
            session_id=SESSION,
            scopes=frozenset({"orders:own", "account:read"}),
            issued_at=clock(),
            expires_at=clock() + timedelta(minutes=10),
        )

    async def test_believes_a_token_until_its_last_second(self, ring, token, clock):
        clock.advance(seconds=599)
        assert await oauth.verify(token, keys=ring, issuer=ISSUER, at=clock())

        clock.advance(seconds=1)
        with pytest.raises(oauth.TokenRefused, match="expired"):
            await oauth.verify(token, keys=ring, issuer=ISSUER, at=clock())

    async def test_bears_clocks_that_are_half_a_minute_apart(self, ring, clock):
        token = signed(ring.key, clock() + timedelta(seconds=30))

        assert await oauth.verify(token, keys=ring, issuer=ISSUER, at=clock())

    @pytest.mark.parametrize(
        "shape",
        ["", "..", "a.b", "a.b.c.d", "x" * 4097, "€.€.€", "e30.e30.e30", "\0.\0.\0"],
    )
    async def test_looks_no_key_up_for_what_is_no_token(self, ring, clock, shape):
        with pytest.raises(oauth.TokenRefused) as refused:
            await oauth.verify(shape, keys=ring, issuer=ISSUER, at=clock())

        assert ring.asked == []
        assert not refused.value.was_dear

    @pytest.mark.parametrize("part", [0, 1, 2])
    async def test_believes_no_token_that_was_changed(self, ring, token, clock, part):
        pieces = token.split(".")
        middle = len(pieces[part]) // 2
        other = "A" if pieces[part][middle] != "A" else "B"
        pieces[part] = pieces[part][:middle] + other + pieces[part][middle + 1 :]

        with pytest.raises(oauth.TokenRefused):
            await oauth.verify(".".join(pieces), keys=ring, issuer=ISSUER, at=clock())

    @pytest.mark.parametrize(
        "claims",
        [
            {"jti": None},
            {"jti": "not-a-uuid"},
            {"exp": None},
            {"exp": "tomorrow"},
            {"exp": 1e400},
            {"iat": None},
            {"scope": ["orders:read"]},
            {"sub": "not-a-uuid"},
            {"sid": "not-a-uuid"},
            {"sid": None},
            {"aud": ["https://shop.example"]},
            {"exp": 99999999999999},
        ],
        ids=repr,
    )
    async def test_believes_only_claims_of_our_form(self, ring, token, clock, claims):
        header, ours = parts(token)
        theirs = {k: v for k, v in {**ours, **claims}.items() if v is not None}
        odd = jwt.encode(header, theirs, ring.key.private, algorithms=["ES256"])

        with pytest.raises(oauth.TokenRefused) as refused:
            await oauth.verify(odd, keys=ring, issuer=ISSUER, at=clock())

        assert refused.value.was_dear

    async def test_never_repeats_a_token_in_what_it_says(self, ring, token, clock):
        with pytest.raises(oauth.TokenRefused) as refused:
            await oauth.verify(token[:-1] + "!", keys=ring, issuer=ISSUER, at=clock())

        assert token[:20] not in repr(refused.value)
