"""The payment provider, told to misbehave while checkouts are repeated.

Beside what the payment methods make it do: some of all calls fail, look-ups and
cancellations too, and its webhooks come late, twice and out of order.
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from holdfast.cli.prove.instance import CannotProve

_CALLS = {
    "on": ["charge", "lookup", "cancel"],
    "fail": "reset_after",
    "rate": 0.05,
    "latency_ms": {"p50": 8, "p99": 120},
}
_WEBHOOKS = {
    "duplicate": 1,
    "delay_ms": {"min": 0, "max": 300},
    "shuffle": 3,
    "drop_rate": 0.1,
}
_OK = 300


@contextmanager
def misbehaving(url: str, *, seed: int) -> Iterator[None]:
    """Let the simulator at *url* misbehave meanwhile."""
    _ask(url, "PUT", "/control/scenario", {**_CALLS, "seed": seed})
    _ask(url, "PUT", "/control/webhook/scenario", {**_WEBHOOKS, "seed": seed})
    try:
        yield
    finally:
        _ask(url, "DELETE", "/control/scenario")
        _ask(url, "DELETE", "/control/webhook/scenario")


def _ask(url: str, method: str, path: str, body: Any = None) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"content-type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= _OK:
            raise CannotProve(f"{method} {path} of the simulator: {said!r}")
    finally:
        connection.close()
