"""The Idempotency-Key header, and answers that are told twice in the same bytes.

The value is a structured-field string, ``"8e03978e"``, or the same without quotes
(draft-ietf-httpapi-idempotency-key-header-07 wants the quotes; most clients
leave them out).
"""

import hashlib
import re
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import HeaderParameter

from holdfast.domain.identity import Caller
from holdfast.platform.idempotency import (
    Answer,
    Claim,
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    claim_of,
)
from holdfast.platform.vault import Vault

KeyHeader = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="The same key again gets the same answer; kept for 24 hours.",
    ),
]
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ENCODER = msgspec.json.Encoder(order="deterministic")


def claim(
    vault: Vault,
    header: str | None,
    *,
    caller: Caller,
    route: str,
    subject: UUID,
    body: Any,
    lease: timedelta,
) -> Claim:
    """What the key stands for: this caller, this request.

    The fingerprint is of the decoded body, so that white space and the order of
    fields do not matter; *vault* keys it. Raises ``IdempotencyKeyMissing`` or
    ``...Malformed``.
    """
    if header is None:
        raise IdempotencyKeyMissing
    key = header.strip()
    if quoted := _QUOTED.fullmatch(key):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMalformed
    said = b"\n".join((route.encode(), subject.bytes, _ENCODER.encode(body)))
    digest = hashlib.sha256(said).digest()
    return claim_of(vault, (caller.actor, route, key), digest, lease=lease)


def response(answer: Answer, *, replayed: bool) -> Response[bytes]:
    """An answer as it was kept, marked when it is not the first time."""
    headers = dict(answer.headers)
    media_type = headers.pop("content-type")
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(
        answer.body, status_code=answer.status, headers=headers, media_type=media_type
    )
