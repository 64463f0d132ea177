"""Whom the shop calls, and how much of a process each may have: one table.

A dependency that hangs holds what its callers need until their time is over. These
numbers bound that: together they take fewer connections than one process opens to
others (``http.CONNECTIONS``), so that none can take them all. What differs between
deployments, the time limits, is in the settings.

``docs/reference/dependencies.md`` is written from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from holdfast.platform.settings import Settings
from holdfast.resilience.circuit import Rules

PAYMENT, CARRIER, MAIL, KEYS, REDIS = "payment", "carrier", "mail", "keys", "redis"
OPENID = "openid"
STORAGE = "storage"

# Only the database stays when the cache is gone, so it is asked again soon: one failure
# is enough, and the dead cost one timeout a second, not one a request.
_FOR_A_CACHE = Rules(
    unreachable_in_a_row=1,
    open_seconds=1.0,
    longest_open_seconds=1.0,
    jitter=0.1,
    permits=1,
    successes_to_close=1,
    failures_to_reopen=1,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What calls to one dependency may take of a process."""

    what: str
    """What it is for, in a few words."""
    alias: str
    """What clients are told instead of its name."""
    concurrent: int
    """Calls at a time."""
    waiting: int
    """Callers that may wait for one of them to end."""
    wait_seconds: float
    """How long they wait."""
    attempts: int
    """How often one thing is tried in all, where it may be repeated."""
    way_out: str
    """What happens instead while its circuit is open."""
    rules: Rules = field(default_factory=Rules)


LIMITS: Mapping[str, Limits] = {
    PAYMENT: Limits(
        "charges, captures, refunds and what became of them",
        "payment",
        concurrent=60,
        waiting=60,
        wait_seconds=0.25,
        attempts=3,
        way_out="503 at once; what the order had reserved is held for its cart, and "
        "what is not certain stays pending and is asked about later",
    ),
    CARRIER: Limits(
        "prices of parcels, labels, where parcels are",
        "shipping",
        concurrent=30,
        waiting=30,
        wait_seconds=0.1,
        attempts=3,
        way_out="the last price within 15 minutes, or a flat rate, marked as such; "
        "labels wait for the worker",
    ),
    MAIL: Limits(
        "handing on e-mails (worker only)",
        "mail",
        # Each holds a thread, of which a process of two cores has six.
        concurrent=3,
        waiting=50,
        wait_seconds=10.0,
        attempts=1,
        way_out="the e-mail waits in the queue, which tries again for six hours",
    ),
    KEYS: Limits(
        "wrapping the keys of personal data",
        "keys",
        concurrent=2,
        waiting=8,
        wait_seconds=5.0,
        attempts=3,
        way_out="processes go on with the keys they have; one that starts waits",
    ),
    OPENID: Limits(
        "signing in by another's word; one circuit for each provider",
        "sign-in",
        concurrent=10,
        waiting=10,
        wait_seconds=0.25,
        attempts=2,
        way_out="what the provider said of itself within a day; 503 for what only it "
        "can say",
    ),
    STORAGE: Limits(
        "pictures, where they are in a bucket",
        "pictures",
        concurrent=30,
        waiting=60,
        wait_seconds=1.0,
        attempts=3,
        way_out="503 for uploads, and for pictures that neither a browser nor a cache "
        "has; drawing and removing wait for it, and all else goes on",
    ),
    REDIS: Limits(
        "what processes remember together",
        "cache",
        concurrent=20,
        waiting=0,
        wait_seconds=0.25,
        attempts=1,
        way_out="each process remembers for itself, and the database is asked",
        rules=_FOR_A_CACHE,
    ),
}


def limits_of(dependency: str) -> Limits:
    """The limits of a dependency, ``openid-...`` included; ``KeyError`` if unknown."""
    if dependency.startswith(f"{OPENID}-"):
        return LIMITS[OPENID]
    return LIMITS[dependency]


FIXED = tuple(name for name in LIMITS if name != OPENID)
"""Those that every shop has."""


def names(settings: Settings) -> list[str]:
    """Every circuit that a shop with these settings has."""
    providers: Iterable[str] = (provider.id for provider in settings.openid_providers)
    return [*FIXED, *(f"{OPENID}-{provider}" for provider in providers)]
