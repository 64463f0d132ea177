"""The parts of the page that every simulator has: clock, scenario and webhooks."""

import msgspec

from holdfast.simulators.clock import Clock
from holdfast.simulators.page import Markup, link, table
from holdfast.simulators.scenario import StageState
from holdfast.simulators.webhooks import Delivery, State, Webhooks

_SHOWN = 50
_STATES: tuple[State, ...] = ("pending", "delivered", "failed", "dropped")


def clock_table(clock: Clock) -> Markup:
    runs = "stands still" if clock.frozen else "runs"
    return table("Clock", ("What", "Value"), [("now", clock.text()), ("it", runs)])


def scenario_table(state: StageState) -> Markup:
    if state.scenario is None:
        return table("Scenario", ("Setting", "Value"), [("fail", "none: it behaves")])
    rows = [
        *_settings(state.scenario),
        ("calls since it was set", state.calls),
        ("of these struck", state.struck),
    ]
    return table("Scenario", ("Setting", "Value"), rows)


def webhook_table(webhooks: Webhooks) -> Markup:
    target = webhooks.target
    rows: list[tuple[object, ...]] = [("target", target.url if target else "none")]
    rows += [(state, webhooks.count(state)) for state in _STATES]
    if webhooks.scenario is not None:
        rows += _settings(webhooks.scenario)
    return table("Webhooks", ("What", "Value"), rows)


def delivery_table(webhooks: Webhooks) -> Markup:
    return table(
        f"The last {_SHOWN} webhooks, newest first",
        ("Id", "Type", "About", "Status", "Attempts", "Last answer", "Next attempt"),
        map(_delivery, webhooks.newest(start=0, limit=_SHOWN)),
    )


def _settings(scenario: msgspec.Struct) -> list[tuple[object, ...]]:
    """What it says, and what goes without saying because it is so by default."""
    rows: list[tuple[object, ...]] = []
    for name in scenario.__struct_fields__:
        value = getattr(scenario, name)
        if value is None or value == ():
            continue
        if isinstance(value, msgspec.Struct):
            fields = msgspec.to_builtins(value)
            value = ", ".join(f"{key} {set_to}" for key, set_to in fields.items())
        elif isinstance(value, tuple):
            value = ", ".join(value)
        rows.append((name.replace("_", " "), value))
    return rows


def _delivery(delivery: Delivery) -> tuple[object, ...]:
    event = delivery.note.event
    answer: object = ""
    if delivery.attempts:
        last = delivery.attempts[-1]
        answer = last.error if last.status is None else last.status
    return (
        link(event.id, f"/control/webhooks/{event.id}"),
        event.type,
        delivery.note.subject,
        delivery.state,
        len(delivery.attempts),
        answer,
        delivery.next_attempt_at or "",
    )
