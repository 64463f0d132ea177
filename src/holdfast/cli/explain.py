"""``holdfast explain``: what was decided about a request, by whom, and what it means.

Layers write short strings into the line of each request, ``layer:rule=outcome``. This
knows what they mean. A string that it does not know is shown as it is.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.kernel.clock import rfc3339
from holdfast.platform.request_lines import find, folder_in, kept_in
from holdfast.platform.settings import Settings
from holdfast.platform.telemetry import Access

_DOCS = "docs/explanation/protection/"


@dataclass(frozen=True, slots=True)
class Layer:
    """What a layer decides by, and what its outcomes mean."""

    decides: str
    page: str
    outcomes: dict[str, str]
    otherwise: str = ""


LAYERS: dict[str, Layer] = {
    "doorstep": Layer(
        "Whether there is room for more of this, asked before it was a request",
        "limits-of-the-shop.md",
        {"full": "all places were taken: it was turned away at once with 503"},
    ),
    "gate": Layer(
        "Whether the process is in a flood, asked before it was a request",
        "load.md",
        {"shed": "what matters more had to be served first: turned away with 503"},
    ),
    "load": Layer(
        "The level of load, and how much this request matters",
        "load.md",
        {"shed": "it matters less than what is served at this level: 503"},
    ),
    "shed": Layer(
        "How many requests of this kind are worked on at once",
        "concurrency.md",
        {
            "full": "the queue was full: 503",
            "codel": "the queue had stood for too long: 503",
            "deadline": "its time would have been over before its turn: 503",
            "disconnect": "its client left while it waited",
        },
        "it waited for its turn and did not get one: 503",
    ),
    "rate": Layer(
        "How much its caller, or its address, has asked of late",
        "limits-of-the-shop.md",
        {
            "allowed": "within the limit",
            "denied": "over the limit: 429, with when to come back",
            "too_costly": "it costs more than the limit ever grants at once: 429",
            "shadow_denied": "over the limit, which is only tried out: it was let in",
            "shadow": "over the limit, which is only tried out: it was let in",
        },
    ),
    "key": Layer(
        "What stands under its Idempotency-Key",
        "idempotency.md",
        {
            "new": "the first with this key: it was carried out",
            "replayed": "carried out before: it was answered as the first one was",
            "refused": "it was refused, and the key may be used again",
            "failed": "it failed on our side, and the key may be used again",
            "in_progress": "the first one was still being carried out: 409",
            "mismatch": "the key stands for another request: 422",
            "missing": "this operation demands a key: 400",
            "malformed": "the key has not the form that one must have: 400",
            "not_kept": "carried out before, and the answer was not kept: 409",
            "takeover": "who had the key died: it went on in its place",
        },
    ),
    "circuit": Layer(
        "How a service that it needed has been doing",
        "circuit-breakers.md",
        {
            "rejected": "it has been failing, and was not asked",
            "open": "it has been failing, and was not asked",
        },
    ),
    "bulkhead": Layer(
        "How many calls to a service that it needed are under way",
        "bulkheads.md",
        {"full": "as many as may be, and it was not asked"},
    ),
    "throttle": Layer(
        "Whether a service that it needed turns most calls away",
        "retries.md",
        {"held": "it does, and was not asked"},
    ),
    "retry": Layer(
        "Whether a call to a service that it needed is made again",
        "retries.md",
        {
            "again": "it had failed, and was asked again",
            "refused": "it had failed, and too many others were being asked again",
        },
    ),
    "fallback": Layer(
        "What to do without a service that did not answer",
        "circuit-breakers.md",
        {},
        "something else was answered in its place",
    ),
    "drop": Layer(
        "Whose turn it is to buy in a drop",
        "waiting-room.md",
        {
            "admitted": "it was, and it was let in",
            "not-open": "the sale had not begun: 403",
            "waiting": "it came without a ticket whose turn it was: 403",
            "forged": "the ticket was not one of this drop: 422",
            "limit": "one ticket may not buy so many: 409",
        },
    ),
    "deadline": Layer(
        "Its budget of time",
        "deadlines.md",
        {
            "nothing-happened": "time was over before it changed anything: 504",
            "unknown": "time was over amid a change, which is seen to its end: 504",
            "clamped": "its client asked for more time than there is, or for next to "
            "none",
            "not-started": "its time could not have sufficed: it was not begun, 504",
        },
        "the time its client asked for",
    ),
    "client": Layer(
        "Whether its client was still there",
        "deadlines.md",
        {
            "cancelled": "its client left before it changed anything: it was stopped",
            "finished": "its client left after a change: it was seen to its end",
            "not-started": "its client had left before it was begun",
        },
    ),
}


def run(request_id: str, *, logs: Sequence[Path], as_json: bool) -> None:
    """Print what is known of a request; ``SystemExit`` with 1 if that is nothing."""
    # Not the settings of a running shop: it may have stopped since.
    paths = list(logs)
    folder = folder_in(Settings.from_environment().home)
    try:
        found = find(paths or kept_in(folder), request_id)
    except OSError as error:
        print(f"holdfast: {error.filename}: {error.strerror}", file=sys.stderr)
        raise SystemExit(1) from None
    if not found:
        print(f"holdfast: {_nothing(request_id, paths, folder)}", file=sys.stderr)
        raise SystemExit(1)
    if as_json:
        print(json.dumps([_as_json(access) for access in found]))
        return
    if len(found) > 1:
        print(f"{len(found)} requests have this id: their clients chose it.\n")
    print("\n\n".join("\n".join(_told(access)) for access in found))


def _nothing(request_id: str, paths: Sequence[Path], folder: Path) -> str:
    shown = request_id if request_id.isprintable() else ascii(request_id)
    if paths:
        return f"No request {shown} in {', '.join(map(str, paths))}."
    if not folder.is_dir():
        return (
            f"No request lines are kept in {folder}: has the API run with this "
            "HOLDFAST_HOME, and with HOLDFAST_LOG_LEVEL=info? For logs that were "
            "shipped elsewhere there is --log FILE."
        )
    return (
        f"No request {shown} on this machine: it went to another, is too long ago, has "
        "not ended yet, or was one of a flood, of which one in a hundred is noted. For "
        "logs that were shipped elsewhere there is --log FILE."
    )


def _told(access: Access) -> list[str]:
    path = access.path if access.path.isprintable() else ascii(access.path)
    rows = [
        ("request", access.request_id),
        ("at", rfc3339(access.at)),
        ("what", f"{access.method} {path}"),
        ("route", access.route or "none: nothing is there"),
        ("caller", _kind(access.caller)),
        ("address", access.client or "unknown"),
        ("status", str(access.status)),
        ("time", f"{access.ms:.1f} ms"),
        ("answer", f"{access.bytes} bytes"),
    ]
    lines = [f"{name:<9} {value}" for name, value in rows]
    if not access.decisions:
        return [*lines, "", "No layer had anything to decide about it."]
    lines.append("")
    for decision in access.decisions:
        known = meaning_of(decision)
        if known is None:
            lines.append(f"{decision}")
            continue
        layer, means = known
        lines += [f"{decision}", f"  {layer.decides}."]
        if means:
            lines.append(f"  Here: {means}.")
        lines.append(f"  See {_DOCS}{layer.page}")
    return lines


def meaning_of(decision: str) -> tuple[Layer, str] | None:
    """The layer of a decision and what it means; None if no layer is known for it."""
    name, _, said = decision.partition(":")
    layer = LAYERS.get(name)
    if layer is None:
        return None
    rule, _, outcome = said.rpartition("=")
    word = outcome.partition("@")[0] if not rule else outcome
    return layer, layer.outcomes.get(word, layer.otherwise)


def _as_json(access: Access) -> dict[str, object]:
    decisions = []
    for decision in access.decisions or ():
        known = meaning_of(decision)
        decisions.append(
            {
                "decision": decision,
                "decides": known[0].decides if known else None,
                "means": (known[1] or None) if known else None,
                "page": _DOCS + known[0].page if known else None,
            }
        )
    return {
        "request_id": access.request_id,
        "at": rfc3339(access.at),
        "method": access.method,
        "path": access.path,
        "route": access.route,
        "caller": _kind(access.caller),
        "address": access.client,
        "status": access.status,
        "ms": access.ms,
        "bytes": access.bytes,
        "decisions": decisions,
    }


def _kind(actor: str | None) -> str:
    """What kind of caller it was; never who."""
    return "unknown" if actor is None else actor.partition(":")[0]
