"""What every simulator is made of: a clock, a scenario and webhooks."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import msgspec

from holdfast.simulators.clock import Clock
from holdfast.simulators.scenario import Mishap, Scenario
from holdfast.simulators.stage import Fate, Sleep, Stage
from holdfast.simulators.web import App, Problem, Reply, Request, Route
from holdfast.simulators.webhooks import Webhooks

_HEADER = b"simulate"


class Simulation:
    """*clock* and *webhooks* are shared with what the simulator remembers."""

    def __init__(
        self,
        *,
        on: Collection[str],
        scenario: type[Scenario],
        mishap: type[Mishap],
        clock: Clock | None = None,
        webhooks: Webhooks | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.clock = clock or Clock()
        self.webhooks = Webhooks(self.clock) if webhooks is None else webhooks
        self.stage = Stage(on=on, clock=self.clock, sleep=sleep)
        self.scenarios = msgspec.json.Decoder(scenario)
        self._mishaps = msgspec.json.Decoder(mishap)

    async def perform(
        self,
        operation: str,
        request: Request,
        act: Callable[[], Reply],
        *,
        mishap: Mishap | None = None,
        key: str = "",
        otherwise: Fate | None = None,
    ) -> Reply | None:
        """Let the call suffer its fate, then tell whoever listens before answering.

        *mishap* is what its body asks for. *otherwise* is what the thing it is
        about does by itself: its failure gives way, its latency adds up.
        """
        mishap = self.mishap_of(request, mishap)
        fate = self.stage.fate(operation, mishap=mishap, key=key)
        if otherwise is not None:
            fate = replace(
                fate,
                latency_seconds=fate.latency_seconds + otherwise.latency_seconds,
                fail=otherwise.fail if fate.fail == "none" else fate.fail,
            )
        reply = await self.stage.play(fate, request, act)
        await self.webhooks.caught_up()
        return reply

    def mishap_of(self, request: Request, asked: Mishap | None) -> Mishap | None:
        """What this request is to suffer by its own wish; its header goes first."""
        header = request.header(_HEADER)
        if header is None:
            return asked
        try:
            return self._mishaps.decode(header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(
                400, "simulate-header-invalid", f"The Simulate header: {error}"
            ) from None

    def app(self, routes: Iterable[Route]) -> App:
        return App(
            routes, start=self._start, stop=self._stop, use_door=self.stage.use_door
        )

    def reset(self) -> None:
        """As when the process started."""
        self.stage.begin_anew()
        self.clock.reset()
        self.webhooks.reset()

    def _start(self) -> None:
        self.clock.rearm()
        self.webhooks.start()

    async def _stop(self) -> None:
        await self.webhooks.close()
