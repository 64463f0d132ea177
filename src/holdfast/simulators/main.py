"""Start a simulator as a process of its own: ``holdfast simulate payment``."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from holdfast.simulators import carrier, payment
from holdfast.simulators.server import serve
from holdfast.simulators.web import App


def run(what: str, *, host: str, port: int, state: Path | None = None) -> None:
    """Print one line that ends with the URL, then serve until told to stop.

    Port 0 picks a free one. *state* is a file, or a folder to keep the file in;
    without it nothing outlives the process. A bad argument, a taken port or an
    unusable state file ends the process with one sentence on standard error.
    """
    with _app(what, state) as app, _listener(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        line = f"{what} simulator: http://{name}:{listener.getsockname()[1]}"
        serve(app, listener, started=lambda: print(line, flush=True))  # noqa: T201 - the promised line


@contextlib.contextmanager
def _app(what: str, state: Path | None) -> Iterator[App]:
    match what:
        case "payment" if state is not None:
            path = state / "payment.jsonl" if state.is_dir() else state
            try:
                journal = payment.Journal(path)
            except (OSError, payment.JournalUnusable) as error:
                raise SystemExit(f"Cannot keep state in {path}: {error}") from None
            with contextlib.closing(journal):
                yield payment.build(payment.Ledger(journal))
        case "payment":
            yield payment.build(payment.Ledger())
        case "carrier":
            # Its prices are a table: there is nothing to remember.
            yield carrier.build()
        case _:
            raise SystemExit(f"There is no {what} simulator: payment or carrier?")


def _listener(host: str, port: int) -> socket.socket:
    if port not in range(65_536):
        raise SystemExit(f"Cannot listen on {host}:{port}: ports end at 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "the port is taken" if taken else error
        raise SystemExit(f"Cannot listen on {host}:{port}: {reason}.") from None
