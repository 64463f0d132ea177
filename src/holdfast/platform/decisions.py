"""What is decided about a request by what knows no request, for ``holdfast explain``.

Layers write into the scope they are given. A circuit deep below a handler has none, so
dispatch leaves the scope in a context variable. Outside a request, as in a worker,
nothing is written.
"""

from collections.abc import MutableMapping
from contextvars import ContextVar, Token
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]

_ANSWERED: ContextVar[Scope | None] = ContextVar("holdfast_answered", default=None)
_KEY = "holdfast.decisions"
# A request that asks in a loop must not fill the log.
_MOST = 20


def begin(scope: Scope) -> Token[Scope | None]:
    """Write what follows to *scope*, until ``end``."""
    return _ANSWERED.set(scope)


def end(token: Token[Scope | None]) -> None:
    """End what ``begin`` began."""
    _ANSWERED.reset(token)


def note(decision: str) -> None:
    """Write a decision of the form ``layer:rule=outcome``; once a request."""
    scope = _ANSWERED.get()
    if scope is None:
        return
    decisions: list[str] = scope.setdefault(_KEY, [])
    if decision not in decisions and len(decisions) < _MOST:
        decisions.append(decision)
