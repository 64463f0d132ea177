"""Records by key and in the order they came: what a provider keeps for good.

A record is put once and may change its content afterwards, never its key or its
place. Memory: a dictionary entry and two list places a record.
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Generic, TypeVar
from urllib.parse import parse_qs

import msgspec

from holdfast.simulators.clock import instant_of, text
from holdfast.simulators.scenario import Moment
from holdfast.simulators.web import Problem, Reply, Request, json_reply

T = TypeVar("T")

_MAX_PAGE = 100


class Full(Exception):
    """No room for another record; nothing was done."""


class Register(Generic[T]):
    def __init__(self, *, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._by_key: dict[str, T] = {}
        self._in_order: list[T] = []
        # The latest date so far, at each place: it sorts even if the clock did not.
        self._dates: list[str] = []

    def find(self, key: str) -> T | None:
        return self._by_key.get(key)

    def check_room(self) -> None:
        if len(self._in_order) >= self._most:
            raise Full(f"{self._most} {self._what} are the most it keeps")

    def put(self, key: str, record: T, *, created_at: str) -> None:
        self._by_key[key] = record
        self._in_order.append(record)
        latest = self._dates[-1] if self._dates else created_at
        self._dates.append(max(latest, created_at))

    def page(self, *, start: int, limit: int) -> list[T]:
        """In the order they came; *start* counts from 0."""
        return self._in_order[start : start + limit]

    def last(self, limit: int) -> list[T]:
        """The newest first."""
        return self._in_order[: -limit - 1 : -1]

    def first_since(self, created_at: str) -> int:
        """The place before which everything is older."""
        return bisect_left(self._dates, created_at)

    def __len__(self) -> int:
        return len(self._in_order)

    def clear(self) -> None:
        self._by_key.clear()
        self._in_order.clear()
        self._dates.clear()


def listing(
    request: Request, register: Register[T], shown: Callable[[T], object]
) -> Reply:
    """One page of *register*, as ``limit``, ``after`` and ``created_from`` ask."""
    query = parse_qs(str(request.scope["query_string"], "latin-1"))
    limit = number(query, "limit", default=20, low=1, high=_MAX_PAGE)
    start = number(query, "after", default=0, low=0, high=len(register))
    since = query.get("created_from", [""])[-1]
    if since:
        start = max(start, register.first_since(_date(since)))
    items = register.page(start=start, limit=limit)
    end = start + len(items)
    more = str(end) if end < len(register) else None
    reply = json_reply({"items": [shown(item) for item in items], "next": more})
    if more is None:
        return reply
    link = f'<{request.scope["path"]}?limit={limit}&after={more}>; rel="next"'
    return Reply(200, reply.body, headers=((b"link", link.encode()),))


def number(
    query: dict[str, list[str]], name: str, *, default: int, low: int, high: int
) -> int:
    written = query.get(name, [str(default)])[-1]
    if written.isascii() and written.isdigit() and len(written) <= len(str(high)):
        value = int(written)
        if low <= value <= high:
            return value
    raise _refusal(name, f"{name} must be a whole number from {low} to {high}.")


def _date(written: str) -> str:
    try:
        return text(instant_of(msgspec.convert(written, Moment)))
    except (msgspec.ValidationError, OverflowError):
        detail = "created_from must be an RFC 3339 instant with its offset."
        raise _refusal("created_from", detail) from None


def _refusal(name: str, detail: str) -> Problem:
    errors = [{"pointer": f"/{name}", "detail": detail}]
    return Problem(422, "invalid-request", detail, errors=errors)
