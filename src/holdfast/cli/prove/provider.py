"""The payment provider, told to misbehave while checkouts are repeated.

One scene after the other, each when its share of the checkouts is due: a slower machine
meets as many. A simulator that refuses connections is told when it takes them again.
"""

import http.client
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from holdfast.cli.prove.instance import CannotProve
from holdfast.cli.prove.scenes import OUTAGE, SCENES, Scene
from holdfast.kernel.clock import Clock, Monotonic, monotonic, system_clock

_OK = 300
_SECONDS = 5
_PAUSE_SECONDS = 0.05
_SCENARIO, _WEBHOOKS = "/control/scenario", "/control/webhook/scenario"


@dataclass
class Provider:
    """The simulator at *url*, while it misbehaves."""

    url: str
    seed: int
    wait: Callable[[float], object]
    scenes: Sequence[Scene] = SCENES
    clock: Clock = system_clock
    timer: Monotonic = monotonic
    played: list[str] = field(default_factory=list)
    """The scenes that have begun."""

    def turn(self, done: float) -> None:
        """Begin the next scene if so much is *done*: none is left out."""
        number = len(self.played)
        if number == len(self.scenes) or done * len(self.scenes) < number:
            return
        scene = self.scenes[number]
        calls = scene.scenario(at=self.clock(), seed=self.seed + number)
        hooks = scene.webhook_scenario(seed=self.seed + number)
        try:
            # The one that can shut its door comes last.
            self._ask("PUT", _WEBHOOKS, hooks)
            self._ask("PUT", _SCENARIO, calls)
        except OSError:
            # Nobody is there, by the scene that is on: at the next look.
            return
        self.played.append(scene.name)

    def behave(self) -> None:
        """From now on; as soon as it can be told."""
        give_up = self.timer() + OUTAGE.total_seconds() + _SECONDS
        while True:
            try:
                self._ask("DELETE", _SCENARIO)
                self._ask("DELETE", _WEBHOOKS)
            except OSError as error:
                if self.timer() > give_up:
                    raise CannotProve(f"The payment simulator: {error}") from None
                self.wait(_PAUSE_SECONDS)
            else:
                return

    def _ask(self, method: str, path: str, body: Any = None) -> None:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_SECONDS
        )
        try:
            sent = None if body is None else msgspec.json.encode(body)
            connection.request(method, path, sent, {"content-type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status >= _OK:
                raise CannotProve(f"{method} {path} of the simulator: {said!r}")
        finally:
            connection.close()


@contextmanager
def misbehaving(
    url: str, *, seed: int, wait: Callable[[float], object]
) -> Iterator[Provider]:
    """Let the simulator at *url* misbehave meanwhile, scene by scene."""
    provider = Provider(url, seed, wait)
    try:
        yield provider
    finally:
        provider.behave()
