"""How much is done: what is promised to be proved, and a little for a quick look."""

import msgspec


class Size(msgspec.Struct, frozen=True):
    """The counts of one run."""

    processes: int
    """Of the API."""
    units: int
    buyers: int
    attempts: int
    blows: int
    """To the sale."""
    carts: int
    duplicates: int
    """Checkouts of each cart."""
    carts_at_once: int
    blows_at_checkouts: int
    hold_seconds: int
    """How long stock is held for a cart."""
    payment_seconds: float
    """How long a checkout waits for the provider."""
    bank_seconds: int
    """How long a buyer may take at their bank."""
    limit_seconds: float
    """For the clients of one part: far more than they need."""
    bound_seconds: float
    """For the whole, on two cores that do nothing else. A run that takes longer says
    so, and is no failure: it is correctness that is proved, on a slow machine too."""


FULL = Size(
    processes=4,
    units=1_000,
    buyers=200,
    attempts=50_000,
    blows=12,
    carts=500,
    duplicates=20,
    carts_at_once=10,
    blows_at_checkouts=4,
    hold_seconds=4,
    payment_seconds=1.5,
    bank_seconds=15,
    limit_seconds=240.0,
    bound_seconds=120.0,
)
QUICK = Size(
    processes=2,
    units=40,
    buyers=20,
    attempts=600,
    blows=3,
    carts=12,
    duplicates=5,
    carts_at_once=12,
    blows_at_checkouts=0,
    hold_seconds=2,
    payment_seconds=0.8,
    bank_seconds=5,
    limit_seconds=60.0,
    bound_seconds=30.0,
)
