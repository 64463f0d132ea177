"""Id tokens of every kind of key that proves something, and of none that does not."""

import base64
import hmac
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from holdfast.domain.accounts import id_tokens
from holdfast.domain.accounts.id_tokens import IdTokenRefused

ISSUER, CLIENT_ID, NONCE = "https://id.example", "us", "the-nonce"


@pytest.fixture(scope="module")
def rsa():
    return RSAKey.generate_key(2048, {"kid": "rsa"})


@pytest.fixture(scope="module")
def curve():
    return ECKey.generate_key("P-256", {"kid": "curve"})


@pytest.fixture
def claims(clock):
    now = int(clock().timestamp())
    return {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": "ada",
        "iat": now,
        "exp": now + 300,
        "nonce": NONCE,
        "email": "ada@example.com",
        "email_verified": True,
    }


@pytest.fixture
def verify(clock):
    def check(token, *keys, **change):
        published = {"keys": [{**key.as_dict(private=False), **change} for key in keys]}
        return id_tokens.verify(
            token,
            published,
            issuer=ISSUER,
            client_id=CLIENT_ID,
            nonce=NONCE,
            now=clock(),
        )

    return check


class TestVerify:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256"])
    async def test_takes_rsa(self, rsa, claims, verify, algorithm):
        token = jwt.encode({"alg": algorithm}, claims, rsa, algorithms=[algorithm])

        assert verify(token, rsa).email == "ada@example.com"

    async def test_finds_the_key_among_several_without_its_id(
        self, rsa, curve, claims, verify
    ):
        other = ECKey.generate_key("P-256", {"kid": "other"})
        token = jwt.encode({"alg": "ES256"}, claims, curve)

        assert verify(token, rsa, other, curve).sub == "ada"

    async def test_takes_no_other_key_than_the_one_named(self, curve, claims, verify):
        token = jwt.encode({"alg": "ES256", "kid": "gone"}, claims, curve)

        with pytest.raises(IdTokenRefused, match="none of the issuer's keys"):
            verify(token, curve)

    async def test_takes_several_audiences_if_it_was_given_to_us(
        self, curve, claims, verify
    ):
        said = {**claims, "aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}
        token = jwt.encode({"alg": "ES256"}, said, curve)

        assert verify(token, curve).sub == "ada"

    @pytest.mark.parametrize(
        "change", [{"use": "enc"}, {"alg": "ES384"}, {"x": 5}, {"kty": "RSA"}]
    )
    async def test_passes_over_keys_for_something_else(
        self, curve, claims, verify, change
    ):
        token = jwt.encode({"alg": "ES256"}, claims, curve)

        with pytest.raises(IdTokenRefused, match="none of the issuer's keys"):
            verify(token, curve, **change)

    async def test_a_public_key_is_no_password(self, rsa, claims, verify):
        # "Algorithm confusion": the published key as the secret of an HMAC.
        parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, claims)]
        said = b".".join(map(base64.urlsafe_b64encode, parts)).replace(b"=", b"")
        mac = hmac.digest(rsa.as_pem(private=False), said, "sha256")
        token = f"{said.decode()}.{base64.urlsafe_b64encode(mac).decode()[:-1]}"

        with pytest.raises(IdTokenRefused, match="algorithm"):
            verify(token, rsa)

    @pytest.mark.parametrize("keys", [{}, {"keys": None}, {"keys": ["x", 1]}])
    async def test_no_keys_prove_nothing(self, curve, claims, clock, keys):
        token = jwt.encode({"alg": "ES256"}, claims, curve)

        with pytest.raises(IdTokenRefused):
            id_tokens.verify(
                token,
                keys,
                issuer=ISSUER,
                client_id=CLIENT_ID,
                nonce=NONCE,
                now=clock(),
            )

    async def test_an_extension_it_must_understand_is_refused(
        self, curve, claims, verify
    ):
        token = jwt.encode({"alg": "ES256", "kid": "curve"}, claims, curve)
        header = id_tokens.key_id_of(token)
        assert header == "curve"
        crit = "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdLCJ4IjoxfQ"

        with pytest.raises(IdTokenRefused, match="algorithm"):
            verify(f"{crit}.{token.partition('.')[2]}", curve)

    async def test_nothing_refused_repeats_the_token(self, curve, claims, verify):
        token = jwt.encode({"alg": "ES256"}, {**claims, "nonce": "x"}, curve)

        with pytest.raises(IdTokenRefused) as refusal:
            verify(token, curve)

        assert token not in str(refusal.value)
        assert "ada" not in str(refusal.value)
