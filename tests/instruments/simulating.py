"""A simulator in a process of its own, told to misbehave over HTTP."""

import subprocess
import sys
from typing import Any

import httpx


class Simulator:
    """One process of ``holdfast simulate``, on a port of its choice."""

    def __init__(self, what: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "holdfast", "simulate", what],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.url = line.split()[-1]
        # One for all: each client of its own would read the certificates of the world
        # (20 ms). Connections are not kept, so none can be closed just when it is used.
        self._http = httpx.Client(
            base_url=self.url,
            trust_env=False,
            timeout=30,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def stop(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.communicate(timeout=30)

    def ask(self, method: str, path: str, **said: Any) -> Any:
        """What it answers; an error when it refuses."""
        answer = self._http.request(method, path, **said).raise_for_status()
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, **said: Any) -> Any:
        return self.ask("POST", path, **said)

    def misbehave(self, **scenario: Any) -> None:
        """From now on: ``fail="hang"``, ``count=2``, ``latency_ms=...``."""
        self.ask("PUT", "/control/scenario", json=scenario)

    def behave(self) -> None:
        """As if just started: nothing charged, nothing failing."""
        self.post("/control/reset")
