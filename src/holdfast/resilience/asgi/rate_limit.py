"""Let a caller through as often as its quotas grant, and tell it where it stands.

Whose quotas, which ones and what a request costs is said by three functions of the
scope; where the buckets are kept is the limiter's. A request that is refused raises
``QuotaExceeded``, which carries what a 429 has to say (``resilience.rate.fields``).

Every quota has a *mode*, asked for at each request, so it can be changed while the
app runs: ``enforce``; ``shadow``, which counts and tells listeners and never
refuses; ``off``, which does not even ask. Quotas in shadow are asked apart from the
others, for all or none is a promise that only what is enforced can keep.

An answer carries ``RateLimit`` fields when a caller has used up half of a quota, or
always if so told; never if a shared cache may keep it, for it would hand one
caller's standing to others.
"""

import random
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from holdfast.resilience.asgi.asked import must_not_wait
from holdfast.resilience.asgi.types import App, Message, Receive, Scope, Send
from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.errors import QuotaExceeded
from holdfast.resilience.events import RateDecided
from holdfast.resilience.rate.fields import any_below_half, fields, retry_after
from holdfast.resilience.rate.quota import Limiter, Quota, Standing, Verdict

Headers: TypeAlias = list[tuple[bytes, bytes]]
Mode: TypeAlias = Literal["enforce", "shadow", "off"]
Outcome: TypeAlias = Literal["allowed", "denied", "shadow_denied", "too_costly"]


class RateLimit:
    """Ask a limiter about each request before anything is done for it."""

    def __init__(
        self,
        app: App,
        *,
        limiter: Limiter,
        subject_of: Callable[[Scope], str | None],
        quotas_of: Callable[[Scope], Sequence[Quota]],
        cost_of: Callable[[Scope], int] = lambda _scope: 1,
        mode_of: Callable[[Quota], Mode] = lambda _quota: "enforce",
        always_tell: bool = False,
        labels_of: Callable[[Scope], tuple[str, ...]] = lambda _scope: (),
        listen: Callable[[RateDecided], None] = lambda _event: None,
        timer: Monotonic = monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Say who is limited and how; a subject of None is not.

        Use a limiter that always answers, such as ``FallbackLimiter``: what one
        raises goes on to the caller. *labels_of* is what listeners are told about
        a request beside the decision: a role, or the class of a route.
        """
        must_not_wait(
            subject_of=subject_of,
            quotas_of=quotas_of,
            cost_of=cost_of,
            mode_of=mode_of,
            labels_of=labels_of,
            listen=listen,
        )
        self._app = app
        self._limiter = limiter
        self._subject_of = subject_of
        self._quotas_of = quotas_of
        self._cost_of = cost_of
        self._mode_of = mode_of
        self._always_tell = always_tell
        self._labels_of = labels_of
        self._listen = listen
        self._timer = timer
        self._chance = chance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its quotas allow; raise ``QuotaExceeded`` else."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        subject = self._subject_of(scope)
        if subject is None:
            await self._app(scope, receive, send)
            return
        standings = await self._check(subject, scope)
        if not standings or not (self._always_tell or any_below_half(standings)):
            await self._app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if not is_shared_cacheable(scope, headers):
                    message["headers"] = headers + fields(standings)
            await send(message)

        await self._app(scope, receive, tell)

    async def _check(self, subject: str, scope: Scope) -> tuple[Standing, ...]:
        enforced: list[Quota] = []
        shadowed: list[Quota] = []
        for quota in self._quotas_of(scope):
            mode = self._mode_of(quota)
            if mode == "enforce":
                enforced.append(quota)
            elif mode == "shadow":
                shadowed.append(quota)
        standings: tuple[Standing, ...] = ()
        if enforced:
            verdict = await self._ask(subject, enforced, scope, shadow=False)
            standings = verdict.standings
            if not verdict.allowed:
                raise self._refusal(verdict)
        if shadowed:
            await self._ask(subject, shadowed, scope, shadow=True)
        return standings

    async def _ask(
        self, subject: str, quotas: Sequence[Quota], scope: Scope, *, shadow: bool
    ) -> Verdict:
        started = self._timer()
        verdict = await self._limiter.take(subject, quotas, self._cost_of(scope))
        seconds = self._timer() - started
        policies = verdict.violated or tuple(quota.name for quota in quotas)
        outcome: Outcome = "allowed"
        if not verdict.allowed:
            outcome = "too_costly" if verdict.too_costly else "denied"
            if shadow:
                outcome = "shadow_denied"
        scope.setdefault("holdfast.decisions", []).append(
            f"rate:{'+'.join(policies)}={outcome}"
        )
        self._listen(
            RateDecided(
                policies, outcome, verdict.source, seconds, self._labels_of(scope)
            )
        )
        return verdict

    def _refusal(self, verdict: Verdict) -> QuotaExceeded:
        wait = None
        if not verdict.too_costly:
            wait = retry_after(verdict.retry_seconds, chance=self._chance)
        return QuotaExceeded(
            retry_after_seconds=wait,
            policies=verdict.violated,
            standings=verdict.standings,
            too_costly=verdict.too_costly,
        )


def is_shared_cacheable(scope: Scope, headers: Headers) -> bool:
    """Whether a cache between here and the caller may keep the answer (RFC 9111 3)."""
    directives: set[bytes] = set()
    may_be_stale = False
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"cache-control":
            words = value.lower().split(b",")
            directives.update(word.split(b"=")[0].strip() for word in words)
        elif lowered in _KEPT_BY:
            may_be_stale = True
    if directives & {b"no-store", b"private"}:
        return False
    if directives & {b"public", b"s-maxage"}:
        return True
    if any(name == b"authorization" for name, _ in scope["headers"]):
        return False
    return may_be_stale or b"max-age" in directives


# With one of these a cache may choose a time by itself (RFC 9111 4.2.2).
_KEPT_BY = (b"expires", b"last-modified")
