"""What has to be known of a request to refuse it, read from its bytes.

While a flood lasts nearly every request is refused, and to parse one is half of what
saying no costs. A request that came in one piece and has no body can be told from its
bytes as well: where it goes, who asks, and that nothing follows. Whatever looks unusual
is for the parser, which reads it properly: nobody can make two readers disagree about
where a request ends (RFC 9112 11.2), for this one knows but one end.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

_LONGEST: Final = 4_096
_BEGINS: Final = b"GET /"
_VERSION: Final = b" HTTP/1.1\r\n"
_ENDS: Final = b"\r\n\r\n"
# They say that something follows, or what is to become of the connection.
_UNUSUAL: Final = (b"\ncontent-", b"\ntransfer-", b"\nupgrade", b"\nexpect")
_CONNECTION: Final = b"\nconnection"
_KEPT: Final = b"\nconnection: keep-alive\r"
_WANTED: Final = tuple(
    (name, b"\n%s:" % name)
    for name in (b"x-forwarded-for", b"authorization", b"x-request-id", b"origin")
)


def glance(data: bytes) -> tuple[bytes, Headers] | None:
    """The target of a whole GET, and those fields that a refusal asks for; 2 us.

    None for anything else: another method, a body, a part or more than one request,
    a field twice, a connection that is to be closed, a line that ends unusually.
    """
    if not data.startswith(_BEGINS) or data.find(_ENDS) != len(data) - len(_ENDS):
        return None
    end = data.find(_VERSION)
    target = data[4:end]
    if end < 0 or len(data) > _LONGEST or b" " in target or b"\n" in target:
        return None
    # Names of fields in one spelling; each begins after a line break.
    start = end + len(_VERSION) - 1
    fields = data[start:].lower()
    if _is_unusual(fields):
        return None
    found = []
    for name, begins in _WANTED:
        at = fields.find(begins)
        if at >= 0:
            after = at + len(begins)
            if fields.find(begins, after) >= 0:
                return None
            value = data[start + after : data.index(b"\r", start + after)]
            found.append((name, value.strip(b" \t")))
    return target, found


def _is_unusual(fields: bytes) -> bool:
    for name in _UNUSUAL:
        if name in fields:
            return True
    if _CONNECTION in fields and _KEPT not in fields:
        return True
    return fields.count(b"\n") != fields.count(b"\r\n") + 1
