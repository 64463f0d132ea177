"""Requests that may be sent again: one effect, one answer. Rules, and a store."""

from holdfast.resilience.idempotency.memory import MemoryStore
from holdfast.resilience.idempotency.record import (
    Claimed,
    Decision,
    Identity,
    Kept,
    Record,
    Store,
    decide,
    fingerprint,
    is_hard_to_guess,
    parse,
)

__all__ = [
    "Claimed",
    "Decision",
    "Identity",
    "Kept",
    "MemoryStore",
    "Record",
    "Store",
    "decide",
    "fingerprint",
    "is_hard_to_guess",
    "parse",
]
