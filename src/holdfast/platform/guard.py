"""Everything that stands around calls to one dependency, in the one order.

``deadline -> retry budget -> circuit -> throttle -> bulkhead -> time limit -> call``.
Each kind of call has a pipeline of its own, since each has its own time limit and its
own errors; what they learn about the dependency they share.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.dependencies import Limits
from holdfast.platform.http import Pushback
from holdfast.resilience.breaker import CircuitBreaker
from holdfast.resilience.bulkhead import Bulkhead
from holdfast.resilience.circuit import Breaker, Standing
from holdfast.resilience.deadline import Deadline
from holdfast.resilience.errors import Rejected
from holdfast.resilience.events import (
    Attempted,
    BulkheadRefused,
    CircuitCall,
    CircuitMoved,
    FellBack,
    HeldBack,
    RetryRefused,
)
from holdfast.resilience.pipeline import Pipeline, Policy
from holdfast.resilience.retry import Retry, RetryBudget
from holdfast.resilience.throttle import Throttle

Event: TypeAlias = (
    Attempted
    | BulkheadRefused
    | CircuitCall
    | CircuitMoved
    | FellBack
    | HeldBack
    | RetryRefused
)
# What a dependency says when it is well and wants fewer calls.
_PUSHBACK = (Rejected, Pushback)


@dataclass(frozen=True, slots=True)
class GuardStanding:
    """How a dependency and what guards it stand."""

    circuit: Standing
    held_back_share: float
    in_use: int
    waiting: int
    concurrent: int
    retry_tokens: int
    amplification: float


class Guard:
    """What stands around calls to one dependency of this process."""

    def __init__(
        self,
        dependency: str,
        limits: Limits,
        *,
        bare: bool = False,
        timer: Monotonic = monotonic,
        chance: Callable[[], float] = random.random,
        listen: Callable[[Event], None] | None = None,
    ) -> None:
        """Guard calls to *dependency*; a *bare* guard leaves time limits and retries.

        That is what there would be without protection, to measure what it is worth.
        """
        self.dependency = dependency
        self._bare = bare
        self.limits = limits
        self._timer = timer
        self._chance = chance
        self._listen = listen
        self.breaker = Breaker(
            dependency,
            limits.rules,
            alias=limits.alias,
            timer=timer,
            chance=chance,
            listen=listen,
        )
        self._throttle = Throttle(
            dependency,
            alias=limits.alias,
            pushback=_PUSHBACK,
            chance=chance,
            timer=timer,
            listen=listen,
        )
        self._bulkhead = Bulkhead(
            dependency,
            concurrent=limits.concurrent,
            waiting=limits.waiting,
            wait_seconds=limits.wait_seconds,
            alias=limits.alias,
            listen=listen,
        )
        self._budget = RetryBudget(timer=timer)

    def around(
        self,
        *,
        timeout_seconds: float,
        total_seconds: float | None = None,
        failures: tuple[type[Exception], ...],
        unreachable: tuple[type[Exception], ...] = (),
        answers: tuple[type[Exception], ...] = (),
        again_after: tuple[type[Exception], ...] = (),
    ) -> Pipeline:
        """A pipeline for calls that may take *timeout_seconds* each.

        Those that may be repeated have *total_seconds* for all attempts, and are tried
        again after *again_after* and after silence; the others are tried once.
        """
        policies: list[Policy] = []
        if total_seconds is not None:
            policies = [
                Deadline(total_seconds, stage=self.dependency),
                Retry(
                    repeatable=True,
                    attempts=self.limits.attempts,
                    on=again_after,
                    dependency=self.dependency,
                    budget=None if self._bare else self._budget,
                    chance=self._chance,
                    timer=self._timer,
                    listen=self._listen,
                ),
            ]
        if self._bare:
            return Pipeline(*policies, Deadline(timeout_seconds))
        policies += [
            CircuitBreaker(
                self.breaker,
                timeout_seconds=timeout_seconds,
                failures=failures,
                unreachable=unreachable,
                answers=answers,
                ignored=_PUSHBACK,
                timer=self._timer,
            ),
            self._throttle,
            self._bulkhead,
            Deadline(timeout_seconds, stage=self.dependency),
        ]
        return Pipeline(*policies)

    def standing(self) -> GuardStanding:
        """How it stands now."""
        return GuardStanding(
            self.breaker.standing(),
            self._throttle.share,
            self._bulkhead.in_use,
            self._bulkhead.waiting,
            self._bulkhead.concurrent,
            self._budget.tokens,
            self._budget.amplification,
        )
