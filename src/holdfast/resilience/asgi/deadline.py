"""Give every request a budget of time, and end those that have used it up.

The budget begins at the edge. Clients may ask for less of it by a header,
``X-Request-Timeout-Ms``: whole milliseconds from the moment the request arrived. They
are relative because the clocks of two machines differ. Below, ``remaining()`` says what
is left.

When time is over the work is cancelled, unless that would leave an effect half made
(``Budget.hold``) or one was made already: then it is finished, without the client. The
client is told which it was. Safe methods have no effect and are always cancelled. The
same holds for a client that has left, except that there is nobody to tell. What goes on
after the last byte of an answer (background tasks of a framework) has no budget.

An app that says nothing of its effects has its requests cancelled as well. But nobody
knows then what an unsafe one had done, and nothing else is told: a handler may have
committed, and one that runs in a thread cannot even be cancelled.

All budgets of a process share one timer, set to the earliest. A request that ends in
time, as nearly all do, sets none: it costs 2 to 3 us.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias

from holdfast.resilience import deadline
from holdfast.resilience.asgi.allowance import Allowance
from holdfast.resilience.asgi.asked import must_not_wait
from holdfast.resilience.asgi.rejection import Render, plain
from holdfast.resilience.asgi.sweep import Sweep
from holdfast.resilience.asgi.types import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    nothing,
)
from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.deadline import Budget
from holdfast.resilience.errors import (
    DeadlineExceeded,
    NotEnoughTime,
    TimeoutMalformed,
)
from holdfast.resilience.events import (
    BudgetClamped,
    BudgetEnded,
    ClientLeft,
    DeadlineEvent,
    FinishedLate,
    NotStarted,
)

HEADER = b"x-request-timeout-ms"
LEAST_SECONDS = 0.010
"""What a client gets at least, so that a budget can never mean "refuse me"."""

RECEIVED = "holdfast.received_at"
"""In the scope, where the server says it: when the head had arrived, monotonic."""

CONNECTION = "holdfast.connection"
"""In the scope, where the server has it: ``disconnected`` says whether the client has
left, and ``on_left``, if set, is called at the moment it does. ``task``, where it is
said, is what runs the application."""

DECISIONS = "holdfast.decisions"
"""In the scope: what was decided about this request, in short strings."""

# Nobody can tell 20 ms of an answer that comes after 10 s; but an answer that was about
# to be ready is better than one that says "unknown".
_GRACE_SECONDS = 0.020
# What the work may still use after its client was told: to roll back, or to finish.
_AFTERWARDS_SECONDS = 5.0
_LONGEST_DIGITS = 12
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_LOG = logging.getLogger(__name__)

Listen: TypeAlias = Callable[[DeadlineEvent], None]


class RequestDeadline:
    """End requests that take longer than they may."""

    def __init__(
        self,
        app: App,
        *,
        allowance: Callable[[Scope], Allowance] | None = None,
        seconds: float = 10.0,
        render: Render = plain,
        effects_are_told: bool = False,
        listen: Listen | None = None,
        timer: Monotonic = monotonic,
    ) -> None:
        """Give each request *seconds*, or what *allowance* says for its route.

        An ``Allowance`` remembers what its route usually takes, so make one for each
        and not one for each request. *render* writes the answer to a request whose work
        goes on without its client; all else is raised, for ``Rejection`` to answer.
        With *effects_are_told* the app says whatever it changes, by ``Budget.hold``,
        ``let_go`` or ``note_effect``, and what it cut short before is told to be
        undone. Who *listen* leaves out has errors of work without a client logged.
        """
        must_not_wait(allowance=allowance, render=render, listen=listen)
        shared = Allowance(seconds)
        self._app = app
        self._allowance = allowance or (lambda _scope: shared)
        self._render = render
        self.effects_are_told = effects_are_told
        self._listen = listen or _log_failure
        self._timer = timer
        self._sweep = Sweep(timer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a budget."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        now = self._timer()
        # Behind a busy loop a request has waited before anybody looked at it.
        began = scope.get(RECEIVED, now)
        allowance = self._allowance(scope)
        seconds = self._granted(scope, allowance, now - began)
        connection = scope.get(CONNECTION, _UNKNOWN)
        # (To ask for the current task takes a call of the kernel, for the loop's.)
        task = getattr(connection, "task", None) or asyncio.current_task()
        run = _Run(self, scope, receive, send, began, began + seconds, task)
        if connection.disconnected:
            self._listen(ClientLeft("waiting", "request", 0.0))
            note(scope, "client:left@waiting=not-started")
            return
        connection.on_left = run.leave
        sweep = self._sweep
        sweep.live.add(run)
        if not now - 1 <= sweep.set_to <= run.due:
            sweep.set(run.due, now)
        token = deadline.begin(run)
        try:
            await self._app(scope, receive, run.send)
        except BaseException as error:
            run.is_closed = True
            if run.is_passed_on(error):
                raise
            if (exceeded := run.exceeded) is not None:
                # What it was cut short in may have a word of its own for that.
                raise exceeded from error
        else:
            run.is_closed = True
            if run.cut is None:
                allowance.usual.note((run.answered_at or self._timer()) - now)
            else:
                run.succeeded()
        finally:
            deadline.end(token)
            sweep.live.discard(run)
            # Whoever leaves now leaves no work behind; and nothing is left that refers
            # to itself, for only the collector would free it.
            connection.on_left = None
            if run.cut == "deadline":
                await self._cut(run, seconds, allowance)

    async def _cut(self, run: "_Run", seconds: float, allowance: Allowance) -> None:
        """End what took longer than it might."""
        if run.answering is not None:
            # A server takes an app that has returned for one that has answered.
            await run.answering
        if seconds < allowance.seconds:
            allowance.usual.note_unfinished(seconds)

    def tell(self, event: DeadlineEvent) -> None:
        self._listen(event)

    def now(self) -> float:
        return self._timer()

    async def answer(
        self, error: Exception, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer in place of work that goes on."""
        await self._render(error, scope)(scope, receive, send)

    def _granted(self, scope: Scope, allowance: Allowance, late: float) -> float:
        """The budget of a request that has waited *late* seconds already."""
        seconds = most = allowance.seconds
        for name, _ in scope["headers"]:
            if name == HEADER:
                seconds = self._asked(scope, most)
                break
        left, usual = seconds - late, allowance.usual
        # What the route has of its own is enough for it, whatever an estimate says.
        if left <= 0 or (seconds < most and left < usual.seconds):
            usual.doubt()
            self._listen(NotStarted("request"))
            note(scope, "deadline:not-started@request")
            raise NotEnoughTime(stage="request")
        return seconds

    def _asked(self, scope: Scope, most: float) -> float:
        """The budget that a client asks for, within the bounds."""
        said = [value for name, value in scope["headers"] if name == HEADER]
        value = said[0].strip(b" \t")
        if len(said) > 1 or not value.isdigit():
            raise TimeoutMalformed
        # More digits than any time has, and int() has its limits too.
        is_long = len(value) > _LONGEST_DIGITS
        wanted = math.inf if is_long else int(value) / 1000
        seconds = max(LEAST_SECONDS, min(wanted, most))
        note(scope, f"deadline:asked={seconds * 1000:.0f}ms")
        if seconds != wanted:
            self._listen(BudgetClamped())
            note(scope, "deadline:clamped")
        return seconds


class _Unknown:
    """The connection, where the server does not show it."""

    disconnected = False
    on_left: Callable[[], None] | None = None


_UNKNOWN = _Unknown()


class _Run(Budget):
    """One request under a budget."""

    cut: Literal["deadline", "left"] | None = None
    """Why its time is over, if it is; it may be going on all the same."""
    _cancelling: int | None = None
    _exceeded: DeadlineExceeded | None = None
    exceeded: DeadlineExceeded | None = None
    """What is to be answered for work that was cut short."""
    is_told = False
    """Its client was answered in place of the work, which goes on."""
    answering: "asyncio.Task[None] | None" = None
    answered_at: float | None = None
    """When the last of the answer was sent."""
    _response_began = False

    def __init__(  # noqa: PLR0917 - made for every request, by one caller
        self,
        layer: RequestDeadline,
        scope: Scope,
        receive: Receive,
        send: Send,
        began: float,
        due: float,
        task: "asyncio.Task[Any] | None",
    ) -> None:
        # (Without a call of the base class: that would take another 0.2 us.)
        self.due = due
        self._layer = layer
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = began
        self._task = task

    @property
    def outcome(self) -> str:
        if self._is_safe:
            return "nothing-happened"
        return super().outcome if self._layer.effects_are_told else "unknown"

    def send(self, message: Message) -> Awaitable[None]:
        """Send on, unless the client was answered already."""
        if self.is_told:
            return nothing()
        self._response_began = True
        if message["type"] == "http.response.body" and not message.get("more_body"):
            return self._send_last(message)
        return self._send(message)

    async def _send_last(self, message: Message) -> None:
        # Not before it is sent: who reads slowly spends the budget, too.
        await self._send(message)
        self.answered_at = self._layer.now()
        self.is_closed = True

    def end(self) -> None:
        """Time is over."""
        if self.is_closed:
            # It was answered in time; what goes on has all the time it takes.
            self.due = math.inf
            return
        if self.cut is not None:
            # Its client has left. What it still does may take a little longer.
            self.due += _AFTERWARDS_SECONDS
            return
        self.cut = "deadline"
        seconds = round(self.due - self._began, 3)
        self._exceeded = DeadlineExceeded(seconds, stage=self.stage)
        self.due += _AFTERWARDS_SECONDS
        self._cancel_if_allowed()
        asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._answer)

    def leave(self) -> None:
        """The client has left."""
        if self.is_closed or self.cut is not None:
            return
        self.cut = "left"
        phase = "after-effect" if self.is_lasting else "before-effect"
        phase = "safe" if self._is_safe else "in-effect" if self.is_held else phase
        was_cancelled = self._cancel_if_allowed()
        wasted = self._layer.now() - self._began if was_cancelled else 0.0
        self._layer.tell(ClientLeft(phase, self.stage, wasted))
        end = "cancelled" if was_cancelled else "finished"
        note(self._scope, f"client:left@{phase}={end}")

    def let_go(self, *, lasting: bool) -> None:
        super().let_go(lasting=lasting)
        if self.cut is not None:
            self._cancel_if_allowed()

    def succeeded(self) -> None:
        """The work is done, with or without somebody to tell of it."""
        self._settle()
        if self.is_told:
            self._layer.tell(FinishedLate(self._layer.now() - self._began, None))

    def is_passed_on(self, error: BaseException) -> bool:
        """The work ended by *error*: whether that is for those further out.

        If not, and there is something to be answered, it is in ``exceeded``. (Raised
        here, an error would be held by a frame that it holds.)
        """
        ours = self._settle()
        if not isinstance(error, Exception) and not (
            ours and isinstance(error, asyncio.CancelledError)
        ):
            return True
        if self.is_told:
            # The client has its answer; the connection may be at the next request.
            late = error if isinstance(error, Exception) else None
            self._layer.tell(FinishedLate(self._layer.now() - self._began, late))
            return False
        if ours and self._exceeded is not None:
            self.exceeded = self._told(self._exceeded)
        elif isinstance(error, NotEnoughTime):
            # It speaks of the step that was not begun; before it there may be others.
            error.outcome = self.outcome
            self._layer.tell(NotStarted(error.stage))
            note(self._scope, f"deadline:not-started@{error.stage}={error.outcome}")
        return not ours

    @property
    def _is_safe(self) -> bool:
        return self._scope["method"] in _SAFE

    def _cancel_if_allowed(self) -> bool:
        if self.is_held or (self.is_lasting and not self._is_safe):
            return False
        if self._task is not None and self._cancelling is None:
            self._cancelling = self._task.cancelling()
            self._task.cancel()
        return True

    def _settle(self) -> bool:
        """Take the cancellation back; False if it was not, or not only, ours."""
        task, self._task = self._task, None
        if task is None or self._cancelling is None:
            return False
        return task.uncancel() <= self._cancelling

    def _answer(self) -> None:
        """Answer now, whatever the work is doing."""
        if self.is_closed or self._response_began or self._exceeded is None:
            return
        self.is_told = True
        told = self._told(self._exceeded)
        self.answering = asyncio.get_running_loop().create_task(
            self._layer.answer(told, self._scope, self._receive, self._send),
            context=deadline.apart(),
        )

    def _told(self, error: DeadlineExceeded) -> DeadlineExceeded:
        # What was cut short can only undo things; if it commits that, nobody can tell.
        if self._cancelling is not None:
            error.outcome = self.outcome
        wasted = self._layer.now() - self._began
        self._layer.tell(BudgetEnded(error.stage, error.outcome, wasted))
        note(self._scope, f"deadline:exceeded@{error.stage}={error.outcome}")
        return error


def note(scope: Scope, decision: str) -> None:
    """Write down what was decided about a request."""
    scope.setdefault(DECISIONS, []).append(decision)


def _log_failure(event: DeadlineEvent) -> None:
    """What nobody else would tell of: its client has had an answer."""
    if isinstance(event, FinishedLate) and event.error is not None:
        _LOG.error("a request failed after its time was over", exc_info=event.error)
