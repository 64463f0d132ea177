"""Opaque tokens: a prefix that says what for, 256 random bits, and a check.

``hfk_`` an operator's API key, ``hfc_`` a cart's, ``hfr_`` refresh, ``hfa_``
authorization code, ``hfs_`` client secret, ``hfm_`` in an e-mail, ``hfb_`` a browser's
session, ``hfp_`` a place where somebody signed in. The check of 6 characters lets a
typo or a made-up token be refused without asking the database. Only SHA-256 of a token
is stored: 256 random bits need neither salt nor a slow hash.
"""

import base64
import hashlib
import re
import secrets
import zlib

API_KEY = "hfk_"
CART = "hfc_"
REFRESH = "hfr_"
AUTHORIZATION_CODE = "hfa_"
CLIENT_SECRET = "hfs_"  # noqa: S105 - a prefix, and no secret
EMAIL = "hfm_"
BROWSER = "hfb_"
PLACE = "hfp_"

RANDOM_BYTES = 32
_RANDOM_CHARS = 43
_CHECK_CHARS = 6
_TOKEN_CHARS = len(API_KEY) + _RANDOM_CHARS + _CHECK_CHARS
_SHOWN_CHARS = 10
_ANY = re.compile(rf"(hf[a-z]_)[\w-]{{{_RANDOM_CHARS + _CHECK_CHARS}}}")


def new_token(prefix: str) -> str:
    """Make a token of *prefix* that nobody can guess."""
    return mint(prefix, secrets.token_bytes(RANDOM_BYTES))


def mint(prefix: str, random: bytes) -> str:
    """Make a token of *prefix* from 32 random bytes."""
    body = prefix + base64.urlsafe_b64encode(random).rstrip(b"=").decode()
    return body + _check(body)


def plausible(token: str, prefix: str) -> bool:
    """Whether *token* was made by ``mint`` rather than guessed or mistyped."""
    if len(token) != _TOKEN_CHARS or not token.startswith(prefix):
        return False
    return token.isascii() and _check(token[:-_CHECK_CHARS]) == token[-_CHECK_CHARS:]


def fingerprint(token: str) -> bytes:
    """SHA-256 of a token: what is stored and looked up."""
    return hashlib.sha256(token.encode()).digest()


def shown(token: str) -> str:
    """The first characters of a key, enough to tell it from others."""
    return token[:_SHOWN_CHARS]


def without_tokens(text: str) -> str:
    """A text that may hold tokens, for whoever may read it but not use them."""
    return _ANY.sub(r"\1...", text)


def _check(body: str) -> str:
    checksum = zlib.crc32(body.encode()).to_bytes(4)
    return base64.urlsafe_b64encode(checksum).decode()[:_CHECK_CHARS]
