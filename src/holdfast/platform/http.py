"""Outbound HTTP: one session a process, and answers of bounded size."""

import aiohttp

MAX_ANSWER_BYTES = 64 * 1024
CONNECTIONS = 200
"""How many one process opens to others; what each may use is in ``dependencies``."""

# Who asks for more patience than this gets it from whoever asks again later.
_LONGEST_WAIT_SECONDS = 3_600


class AnswerTooLong(Exception):
    """The other side sent more than any proper answer has."""


class Pushback(Exception):
    """The other side is well and asks for time: 503 with Retry-After."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"asked again in {retry_after_seconds:g} s")
        self.retry_after_seconds = retry_after_seconds


def session() -> aiohttp.ClientSession:
    """A session whose time limits are those of the policies around each call.

    aiohttp's own total of 5 minutes is switched off: two clocks on one call
    disagree about which of them ended it. So is its sending again of what was lost
    on a kept connection: retries are counted and bounded by the policies, in one place.
    """
    session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=2),
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=15),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )
    session._retry_connection = False  # noqa: SLF001 - there is no other way to say it
    return session


def wait_announced(response: aiohttp.ClientResponse) -> float | None:
    """How long to wait, if that was said in seconds; an hour at most."""
    announced = response.headers.get("Retry-After")
    if announced is None or not announced.isascii() or not announced.isdigit():
        return None
    return float(min(int(announced[:9]), _LONGEST_WAIT_SECONDS))


async def read(
    response: aiohttp.ClientResponse, *, limit_bytes: int = MAX_ANSWER_BYTES
) -> bytes:
    """The whole body; ``AnswerTooLong`` past the limit."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit_bytes:
            raise AnswerTooLong
    return bytes(body)
