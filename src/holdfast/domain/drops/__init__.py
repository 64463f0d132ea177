"""Drops: what goes on sale at a moment, and who waits for it.

The rules of a line (tickets, lots, pace) are those of ``resilience.waiting_room``; here
is where a shop keeps one: who may have a ticket, how far the line has come, what was
bought. Callers join it with orders and stock.
"""

from holdfast.domain.drops.errors import (
    AdmissionRequired,
    DropEnded,
    DropInvalid,
    DropLimitReached,
    DropNotFound,
    DropNotOpen,
    NoMoreTickets,
    SignInToWait,
    TicketNotValid,
    VariantInAnotherDrop,
)
from holdfast.domain.drops.model import (
    DROP_TITLE_CHARS,
    MAX_DROP_VARIANTS,
    Drop,
    DropStatus,
    Entry,
    check,
)
from holdfast.domain.drops.store import (
    add,
    admit,
    begin_draw,
    bought,
    browse,
    change,
    draw_lots,
    end,
    enter,
    find,
    forget_tickets,
    issue,
    lock_ticket,
    note_capacity,
    note_purchase,
    on,
    places,
    tickets_of,
)

__all__ = [
    "DROP_TITLE_CHARS",
    "MAX_DROP_VARIANTS",
    "AdmissionRequired",
    "Drop",
    "DropEnded",
    "DropInvalid",
    "DropLimitReached",
    "DropNotFound",
    "DropNotOpen",
    "DropStatus",
    "Entry",
    "NoMoreTickets",
    "SignInToWait",
    "TicketNotValid",
    "VariantInAnotherDrop",
    "add",
    "admit",
    "begin_draw",
    "bought",
    "browse",
    "change",
    "check",
    "draw_lots",
    "end",
    "enter",
    "find",
    "forget_tickets",
    "issue",
    "lock_ticket",
    "note_capacity",
    "note_purchase",
    "on",
    "places",
    "tickets_of",
]
