"""Access tokens taken apart and put together differently, and shown to the shop.

The token that is attacked is that of ``holder``; what it opens is at ``HERS``.
"""

import base64
import json
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt

HERS = "/v1/me/consents"


class Parts(NamedTuple):
    """A token taken apart, to be put together differently."""

    header: dict[str, object]
    claims: dict[str, object]
    signature: bytes


def take_apart(token):
    header, claims, signature = token.split(".")
    return Parts(
        json.loads(decoded(header)), json.loads(decoded(claims)), decoded(signature)
    )


def put_together(header, claims, sign):
    """A token with the signature that *sign* makes of it."""
    said = f"{encoded(json.dumps(header))}.{encoded(json.dumps(claims))}"
    return f"{said}.{encoded(sign(said.encode()))}"


def encoded(value):
    raw = value.encode() if isinstance(value, str) else value
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "==")


def es256(key):
    """Signs by a key whatever the header says, which joserfc would not."""

    def sign(said):
        der = key.private_key.sign(said, ec.ECDSA(hashes.SHA256()))
        return b"".join(half.to_bytes(32) for half in decode_dss_signature(der))

    return sign


def halves(signature):
    return signature[:32], signature[32:]


@pytest.fixture
async def holder(signed_in):
    return await signed_in()


@pytest.fixture
def ask(client):
    """Ask for what is the holder's with a token, or with other headers."""

    async def send(token=None, *, path=HERS, headers=None):
        given = headers or {"Authorization": f"Bearer {token}"}
        return await client.get(path, headers=given)

    return send


@pytest.fixture
async def refused(ask, holder):
    """Whether a token is refused as one, where the holder's own is not."""
    assert (await ask(holder.token)).status_code == 200

    async def is_refused(token):
        answer = await ask(token)
        return (
            answer.status_code == 401
            and answer.json()["type"] == "/problems/invalid-credentials"
            and answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        )

    return is_refused


@pytest.fixture
async def signer(shop):
    return await shop.keyring.signer()


@pytest.fixture
def resigned(holder, signer):
    """the holder's token with other claims or headers, signed by the shop's own key."""

    def make(key=signer.private, *, header=None, **claims):
        ours = take_apart(holder.token)
        return jwt.encode(
            {**ours.header, **(header or {})},
            {**ours.claims, **claims},
            key,
            algorithms=["ES256"],
        )

    return make
