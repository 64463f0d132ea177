"""A shop and its payment provider, spoken to over HTTP by somebody who persists.

Requests that fail on the way, or find the other side busy, are sent again for about
ten seconds: everything the replay sends may be sent twice.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import aiohttp
import msgspec

T = TypeVar("T")

_PAUSES_SECONDS = (0.1, 0.3, 1.0, 3.0, 5.0)
_PATIENCE_SECONDS = 60.0
_BUSY = frozenset({429, 502, 503, 504})
_OK = range(200, 300)


class CannotReplay(Exception):
    """The replay cannot go on; the text says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        return self.status in _OK

    @property
    def slug(self) -> str:
        """The kind of problem; empty when it is none."""
        return str(self._problem().get("type", "")).rpartition("/")[2]

    @property
    def said(self) -> str:
        """A problem in words."""
        problem = self._problem()
        words = [str(problem.get("title") or f"It answered {self.status}.")]
        for name, value in problem.items():
            if name not in ("type", "title", "status", "instance"):
                words.append(f"{name}: {msgspec.json.encode(value).decode()}")
        return " ".join(words)

    def read(self, decoder: msgspec.json.Decoder[T]) -> T:
        """The body as a value; ``CannotReplay`` if it is not what it should be."""
        if not self.ok:
            raise CannotReplay(self.said)
        try:
            return decoder.decode(self.body)
        except msgspec.DecodeError as error:
            raise CannotReplay(f"That is no answer of this API: {error}.") from error

    def _problem(self) -> dict[str, Any]:
        if self.ok:
            return {}
        try:
            problem = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return problem if isinstance(problem, dict) else {}


class Items(msgspec.Struct, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None


class Remote:
    """One side of the conversation, by its address."""

    def __init__(
        self, session: aiohttp.ClientSession, name: str, url: str, key: str = ""
    ) -> None:
        self._session = session
        self._name = name
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def get(self, path: str) -> Answer:
        return await self.send("GET", path)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, good or bad; ``CannotReplay`` if there is none to be had."""
        said = dict(headers or {})
        if body is None:
            return await self._persist(method, path, None, said)
        said["Content-Type"] = "application/json"
        return await self._persist(method, path, msgspec.json.encode(body), said)

    async def send_text(self, path: str, text: str, kind: str) -> Answer:
        """The same for a body that is a file of this kind."""
        return await self._persist("POST", path, text.encode(), {"Content-Type": kind})

    async def _persist(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        said = {**self._headers, **headers}
        for pause in (*_PAUSES_SECONDS, None):
            try:
                async with self._session.request(
                    method, self._url + path, data=data, headers=said
                ) as response:
                    answer = Answer(response.status, await response.read())
                if answer.status not in _BUSY or pause is None:
                    return answer
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                if pause is None or isinstance(error, aiohttp.InvalidURL | ValueError):
                    why = str(error) or type(error).__name__
                    raise CannotReplay(
                        f"The {self._name} at {self._url} does not answer ({why})."
                    ) from error
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def items(
        self, path: str, decoder: msgspec.json.Decoder[Items[T]]
    ) -> AsyncIterator[T]:
        """Every item of a list, page after page."""
        joint = "&" if "?" in path else "?"
        after: str | None = ""
        while after is not None:
            cursor = f"&after={after}" if after else ""
            answer = await self.get(f"{path}{joint}limit=100{cursor}")
            page = answer.read(decoder)
            for item in page.items:
                yield item
            after = page.next


@asynccontextmanager
async def talking(concurrency: int) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with room for so many requests at once."""
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=_PATIENCE_SECONDS, sock_connect=5),
        connector=aiohttp.TCPConnector(limit=concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    ) as session:
        yield session
