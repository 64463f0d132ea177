"""Start a simulator as a process of its own: ``holdfast simulate payment``."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from holdfast.simulators import carrier, payment
from holdfast.simulators.journal import Journal, JournalUnusable
from holdfast.simulators.server import BACKLOG, serve
from holdfast.simulators.web import App
from holdfast.simulators.webhooks import Target

T = TypeVar("T")


def run(
    what: str,
    *,
    host: str,
    port: int,
    state: Path | None = None,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
) -> None:
    """Print one line that ends with the URL, then serve until told to stop.

    Port 0 picks a free one. *state* is a file, or a folder to keep the file in;
    without it nothing outlives the process. Webhooks need both their address and
    their secret. A bad argument, a taken port or an unusable state file ends the
    process with one sentence on standard error.
    """
    target = _target(webhook_url, webhook_secret)
    with _app(what, state, target) as app, _listener(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        line = f"{what} simulator: http://{name}:{listener.getsockname()[1]}"
        serve(app, listener, started=lambda: print(line, flush=True))  # noqa: T201 - the promised line


def _target(url: str | None, secret: str | None) -> Target | None:
    if url is None and secret is None:
        return None
    if url is None or secret is None:
        raise SystemExit("Webhooks need both --webhook-url and --webhook-secret.")
    try:
        return msgspec.convert({"url": url, "secret": secret}, Target)
    except msgspec.ValidationError as error:
        raise SystemExit(f"Webhooks cannot go there: {error}.") from None


@contextlib.contextmanager
def _app(what: str, state: Path | None, target: Target | None) -> Iterator[App]:
    match what:
        case "payment":
            with _journal(what, state, payment.Line) as journal:
                yield payment.build(payment.Ledger(journal), target=target)
        case "carrier":
            with _journal(what, state, carrier.Line) as carried:
                yield carrier.build(carrier.Book(carried), target=target)
        case _:
            raise SystemExit(f"There is no {what} simulator: payment or carrier?")


@contextlib.contextmanager
def _journal(
    what: str, state: Path | None, kind: type[T]
) -> Iterator[Journal[T] | None]:
    if state is None:
        yield None
        return
    path = state / f"{what}.jsonl" if state.is_dir() else state
    try:
        journal = Journal(path, kind)
    except (OSError, JournalUnusable) as error:
        raise SystemExit(f"Cannot keep state in {path}: {error}") from None
    with contextlib.closing(journal):
        yield journal


def _listener(host: str, port: int) -> socket.socket:
    if port not in range(65_536):
        raise SystemExit(f"Cannot listen on {host}:{port}: ports end at 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as placeholder:
            if not port:
                # A port that is asked for by its number stays ours while an outage
                # stops the listening; one that the system picks does not.
                placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                placeholder.bind((host, 0))
                port = placeholder.getsockname()[1]
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "the port is taken" if taken else error
        raise SystemExit(f"Cannot listen on {host}:{port}: {reason}.") from None
