"""Which edition of a thing a client has: ETag, If-None-Match and If-Match.

A tag of the catalogue is ``"7.Ab3dE5gH1jK"``: the version, which every write raises,
and a digest of the bytes that were sent. Two answers with the same tag are the same
byte for byte (RFC 9110 8.8.1), so what is not written (stock, the language and the
currency of the reader) is in the digest. A write compares the version alone: an editor
is told that somebody else has edited, and not that somebody has bought. A list has no
version, and its tag is the digest.

What is part of something is changed by the version of the whole: images and variants
by their product's, members by their group's, prices by that of all prices of their
variant. Who adds something overwrites nothing, and need not name a version.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import HeaderParameter

from holdfast.api.decoding import invalid_parameter
from holdfast.kernel.errors import Unconditional
from holdfast.kernel.versions import Versions

_DIGEST_BYTES = 9
_ENCODER = msgspec.json.Encoder()
_VERSION = re.compile(r"([1-9][0-9]{0,17})(?:\.[\w-]{1,64})?", re.ASCII)
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_TAGS = re.compile(rf"\s*{_TAG.pattern}\s*(?:,\s*{_TAG.pattern}\s*)*")

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The ETag of what was read, or * to overwrite whatever is there.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match",
        description="The ETag of what the client has: 304 if that is still all.",
    ),
]


@dataclass(eq=False)
class PreconditionRequired(Unconditional):
    """The request must say with If-Match which version it changes."""


def versions(if_match: str | None) -> Versions:
    """The versions an If-Match names; None for ``*``, any there is.

    ``PreconditionRequired`` without one. A weak tag matches nothing (RFC 9110 13.1.1),
    and neither does one that is not ours.
    """
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match):
        raise invalid_parameter("If-Match", "Must be an ETag, several, or *")
    named = [
        _VERSION.fullmatch(tag) for weak, tag in _TAG.findall(if_match) if not weak
    ]
    return frozenset(int(match[1]) for match in named if match)


def versions_if_any(if_match: str | None) -> Versions:
    """The same of a request that only adds, and may name none."""
    return None if if_match is None else versions(if_match)


def tag_of(body: bytes, version: int | None = None, language: str | None = None) -> str:
    """The ETag of *body*, which shows this version of one thing.

    *language* is what it says of itself to be in, None for the shop's own.
    """
    told = hashlib.blake2b(body, digest_size=_DIGEST_BYTES)
    if language is not None:
        told.update(b"\n" + language.encode())
    digest = told.digest()
    said = base64.urlsafe_b64encode(digest).decode()
    return f'"{said}"' if version is None else f'"{version}.{said}"'


def answer(
    body: bytes,
    *,
    version: int | None = None,
    language: str | None = None,
    if_none_match: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """*body* as JSON with its ETag, or 304 for who has it."""
    tag = tag_of(body, version, language)
    said = {"ETag": tag, **(headers or {})}
    if if_none_match is not None and has(if_none_match, tag):
        return Response(None, status_code=304, headers=said)
    return Response(body, media_type="application/json", headers=said)


def of(
    shown: object,
    *,
    version: int | None = None,
    if_none_match: str | None = None,
) -> Response[Any]:
    """A thing with its ETag, or 304 for who has it."""
    body = _ENCODER.encode(shown)
    return answer(body, version=version, if_none_match=if_none_match)


def of_new(made: object, *, version: int, location: str) -> Response[Any]:
    """A thing that was just made, with its ETag and its address."""
    tag = tag_of(_ENCODER.encode(made), version)
    return Response(made, headers={"ETag": tag, "Location": location})


def of_list(
    listed: Response[Any], if_none_match: str | None, *, version: int | None = None
) -> Response[Any]:
    """A list with its ETag, or 304 for who has it; *version* is of what all is part."""
    content = listed.content
    return answer(
        content if isinstance(content, bytes) else _ENCODER.encode(content),
        version=version,
        if_none_match=if_none_match,
        headers=listed.headers,
    )


def has(if_none_match: str, tag: str) -> bool:
    """Whether a client has what *tag* names; nonsense is as good as nothing."""
    if if_none_match.strip() == "*":
        return True
    return any(f'"{named}"' == tag for _, named in _TAG.findall(if_none_match))
