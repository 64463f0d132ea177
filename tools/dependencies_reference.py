"""Write ``docs/reference/dependencies.md`` from the code that holds to it.

Pools, time limits, retries and back-off of everything that a process calls (OWASP ASVS
5, 13.1.2 and 13.1.3). Without arguments the page is written, with ``--print`` it is
shown.
"""

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path

from holdfast.cli import worker
from holdfast.domain.inventory import MAX_CONNECTIONS
from holdfast.platform import data_keys, db, guarded_storage, http, jobs, redis
from holdfast.platform.dependencies import (
    CARRIER,
    KEYS,
    LIMITS,
    MAIL,
    OPENID,
    PAYMENT,
    REDIS,
    STORAGE,
)
from holdfast.platform.settings import Settings
from holdfast.resilience.circuit import Rules
from holdfast.resilience.retry import Retry, RetryBudget
from holdfast.workflows import providers

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/dependencies.md"
HEAD = """# Dependencies

<!-- Written by tools/dependencies_reference.py from the code. -->

What one process may hold of each service it calls, how long it waits, how often it
tries, and what happens when the service does not answer. All numbers are of one
process, of the API or a worker. Times in *italics* follow a [setting](settings.md);
shown is what holds without it.

## Pools and time limits

| dependency | what for | at a time | may wait | a call | in all | attempts |
|---|---|---|---|---|---|---|
"""
DATABASE = """
PostgreSQL has pools of *{pool}* connections for everybody, {hot} for what everybody
wants at once, and 1 for those who look whether it is there. Whoever wants a connection
waits {acquire:g} s at most; a statement may take {statement:g} s, a wait for a lock
{lock:g} s, a transaction that nobody continues {idle:g} s. All outbound HTTP shares
{connections} connections, of which the bulkheads above leave some free; connecting may
take 2 s.

## Retries

Only the layer directly above a call tries again, and only what may be repeated: what
is read, and what carries a key. Client libraries below try once: aiohttp's resending,
redis-py's retries and those of boto3 are switched off; smtplib has none. (The clients
for Google's key service and for HashiCorp Vault bring their own, which cannot be
reached through tink.) obstore, which asks the storage of pictures, has connections of
its own and retries switched off.

- Wait before retry n: random, up to {base:g} s · 2ⁿ⁻¹, {cap:g} s at most (full jitter).
  `Retry-After` is waited for besides, if it is at most {longest:g} s and the time for
  the call allows it.
- Budget, for each dependency: {percent} % of the requests of {seconds:g} s and
  {reserve} more; at one time {percent} % of the requests under way, or {reserve}.
- E-mails are tried once by the mailer, and up to {mails} times by the queue, within
  about six hours.

## Circuits

| dependency | opens at | of at least | or connections | open for | closes after |
|---|---|---|---|---|---|
"""
OUT = """
## Ways out

What happens while a circuit is open, or when a call has failed:

| dependency | way out |
|---|---|
"""


@dataclass(frozen=True)
class Kind:
    """One kind of call; *setting* says what its times follow."""

    dependency: str
    what: str
    call: float
    total: float | None
    follows: bool = True

    @property
    def row(self) -> str:
        """Its line of the table."""
        limits = LIMITS[self.dependency]
        mark = "*" if self.follows else ""
        waiting = (
            f"{limits.waiting}, {limits.wait_seconds:g} s" if limits.waiting else "none"
        )
        total = self.call if self.total is None else self.total
        attempts = 1 if self.total is None else limits.attempts
        return (
            f"| {self.dependency} | {self.what} | {limits.concurrent} | {waiting} "
            f"| {mark}{self.call:g} s{mark} | {mark}{total:g} s{mark} | {attempts} |"
        )


def kinds() -> list[Kind]:
    """Every kind of call that leaves a process."""
    settings = Settings.read({})
    paying, sending = settings.payment_timeout_seconds, settings.carrier_timeout_seconds
    asking, labels = settings.openid_timeout_seconds, providers.PATIENCE_FOR_LABELS
    share, keys = providers.ATTEMPT_SHARE, data_keys.KEY_SERVICE_SECONDS
    return [
        Kind(PAYMENT, "charges, captures, refunds", paying * share, paying),
        Kind(PAYMENT, "one look for a buyer", paying * providers.LOOK_UP_SHARE, None),
        Kind(CARRIER, "prices", sending, None),
        Kind(
            *(CARRIER, "labels, tracking"),
            *(sending * labels * share, sending * labels),
        ),
        Kind(MAIL, LIMITS[MAIL].what, worker.MAIL_SECONDS, None, follows=False),
        Kind(KEYS, LIMITS[KEYS].what, keys, 2 * keys, follows=False),
        Kind(OPENID, "redeeming a code", asking, None),
        Kind(OPENID, "what a provider says of itself", asking / 2, asking),
        *(
            Kind(STORAGE, what, seconds, in_all, follows=False)
            for what, seconds, in_all in (
                (
                    "reading a picture, removing one",
                    guarded_storage.SHORT_SECONDS,
                    guarded_storage.SHORT_IN_ALL_SECONDS,
                ),
                (
                    "an upload, and fetching it to draw it",
                    guarded_storage.LONG_SECONDS,
                    guarded_storage.LONG_IN_ALL_SECONDS,
                ),
            )
        ),
        Kind(REDIS, LIMITS[REDIS].what, redis.COMMAND_SECONDS, None, follows=False),
    ]


def circuit(dependency: str, rules: Rules) -> str:
    """How a circuit behaves, as a row."""
    low, high = (rules.open_seconds * (1 + sign * rules.jitter) for sign in (-1, 1))
    until = (
        f", doubled up to {rules.longest_open_seconds:g} s"
        if rules.longest_open_seconds > rules.open_seconds
        else ""
    )
    return (
        f"| {dependency} | {rules.failure_percent} % failures or "
        f"{rules.slow_percent} % slow (over {rules.slow_share:g} of the limit) "
        f"| {rules.minimum_calls} calls in {rules.window_seconds:g} s "
        f"| {rules.unreachable_in_a_row} refused in a row "
        f"| {low:g} to {high:g} s{until} "
        f"| {rules.successes_to_close} good ones, {rules.permits} at a time |"
    )


def default(of: object, name: str) -> float:
    """What a constructor takes for *name* if nobody says."""
    return float(inspect.signature(of).parameters[name].default)  # type: ignore[arg-type]


def page() -> str:
    """The whole page."""
    session = db._SESSION  # noqa: SLF001 - what is set nowhere else
    facts = {
        "pool": Settings.read({}).database_pool_size,
        "hot": MAX_CONNECTIONS,
        "acquire": default(db.Database.connect, "acquire_timeout"),
        "statement": int(session["statement_timeout"]) / 1000,
        "lock": int(session["lock_timeout"]) / 1000,
        "idle": int(session["idle_in_transaction_session_timeout"]) / 1000,
        "connections": http.CONNECTIONS,
        "base": default(Retry, "base_seconds"),
        "cap": default(Retry, "cap_seconds"),
        "longest": default(Retry, "longest_wait_seconds"),
        "percent": int(default(RetryBudget, "percent")),
        "seconds": default(RetryBudget, "seconds"),
        "reserve": int(default(RetryBudget, "reserve")),
        "mails": jobs.MAX_ATTEMPTS,
    }
    rows = "\n".join(kind.row for kind in kinds())
    circuits = "\n".join(circuit(name, limits.rules) for name, limits in LIMITS.items())
    ways = "\n".join(f"| {name} | {each.way_out} |" for name, each in LIMITS.items())
    return HEAD + rows + "\n" + DATABASE.format(**facts) + circuits + "\n" + OUT + ways


if __name__ == "__main__":
    if "--print" in sys.argv:
        print(page())
    else:
        PAGE.write_text(page() + "\n")
        print(f"wrote {PAGE}")
