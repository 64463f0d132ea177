"""Outbound HTTP: one session a process, and answers of bounded size."""

import aiohttp

MAX_ANSWER_BYTES = 64 * 1024


class AnswerTooLong(Exception):
    """The other side sent more than any proper answer has."""


def session() -> aiohttp.ClientSession:
    """A session whose time limits are those of the policies around each call.

    aiohttp's own total of 5 minutes is switched off: two clocks on one call
    disagree about which of them ended it.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=2),
        connector=aiohttp.TCPConnector(limit=200, keepalive_timeout=15),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


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
