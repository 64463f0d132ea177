"""One of our own processes: a ``holdfast`` subcommand, run as a part.

It is started by its command line, so that this package knows nothing of what it
runs. It is given a port, and is ready once its health address there answers 200.
"""

import http.client
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from holdfast.platform.embedded.part import Tick, go_on
from holdfast.platform.embedded.ports import LOOPBACK, free_port, is_free
from holdfast.platform.embedded.process import (
    CannotStart,
    Child,
    Command,
    Escalation,
    explain,
    spawn,
)

_ATTEMPTS = 5


def holdfast(*arguments: str) -> tuple[str, ...]:
    """The command line of one of our subcommands."""
    # -P: a file in the user's folder must not stand in for one of our modules.
    return (sys.executable, "-P", "-m", "holdfast", *arguments)


class Program:
    """A subcommand that runs until it is told to stop."""

    start_seconds = 60.0

    def __init__(
        self,
        name: str,
        *arguments: str,
        log: Path,
        environ: Mapping[str, str],
        port: int,
        port_option: str = "--port",
        port_is_fixed: bool = False,
        health: str = "/livez",
        grace_seconds: float = 10.0,
    ) -> None:
        self.name = name
        self.child: Child | None = None
        self.port = port
        self._arguments = arguments
        self._port_option = port_option
        self._log = log
        self._environ = dict(environ)
        self._port_is_settled = port_is_fixed
        self._health = health
        self._attempts = 0
        self._end: Escalation = (
            (signal.SIGTERM, grace_seconds),
            (signal.SIGKILL, 5.0),
        )

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def launch(self, *, tick: Tick = go_on) -> None:
        tick()
        self._attempts += 1
        command = Command(
            arguments=holdfast(*self._arguments, self._port_option, str(self.port)),
            environ=self._environ,
            log=self._log,
            end=self._end,
        )
        try:
            self.child = spawn(command)
        except OSError as error:
            raise explain(f"{self.name} cannot start", error, self._log) from error

    def is_ready(self) -> bool:
        if self.child is None or not self.child.alive():
            return False
        ready = answers(self.port, self._health)
        if ready:
            self._port_is_settled = True
            self._attempts = 0
        return ready

    def explain_end(self) -> None:
        said = self.child.tail() if self.child is not None else ""
        if not is_free(self.port):
            if self._port_is_settled or self._attempts >= _ATTEMPTS:
                raise CannotStart(
                    f"{self.name} cannot listen on port {self.port}: another program "
                    "does."
                )
            self.port = free_port()
            return
        code = self.child.exit_code if self.child is not None else None
        raise CannotStart(
            f"{self.name} ended before it was ready ({describe(code)}; {self._log}).",
            tail=said,
        )


def answers(port: int, path: str) -> bool:
    """Whether a GET there says 200; never raises, takes at most a second."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def describe(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "not started"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
