"""What a flood of sign-ins does to those who only look at products.

A thousand people sign in at once and again, each from an address of their own, with
passwords hashed as in production. The time of looking is measured without them and
with them, several times in turn; the worst hundredth may take twice as long. Who finds
no room is answered 503 and comes back.
"""

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import msgspec

from holdfast.api.shop import Shop, opened
from holdfast.cli.bench.crowd import Seen, Task
from holdfast.cli.bench.instance import CannotBench, Instance
from holdfast.domain import accounts, identity, oauth
from holdfast.kernel.clock import system_clock
from holdfast.kernel.ids import new_id
from holdfast.platform.settings import Settings

CROWD = 1_000
RATE = 300.0
LOOKERS = 32
ROUNDS = 3
_PASSWORD = "a password for the benchmark"  # noqa: S105 - opens a shop that is deleted
_PATIENCE_SECONDS = 60.0
# Not by -m: the module is imported already, for what it is told and tells.
_RUN = "from holdfast.cli.bench.crowd import main; main()"
_SCOPES = ("account:read", "carts:own")


@dataclass(frozen=True, slots=True)
class LoginFlood:
    """How long a look takes without the crowd and with it, in the middle round."""

    crowd: int
    rate: float
    quiet_p50_ms: float
    quiet_p99_ms: float
    flood_p50_ms: float
    flood_p99_ms: float
    logins: Mapping[str, int]
    """Sign-ins by the status of their answer."""
    errors: Mapping[str, int]
    seconds: float
    api_memory_mb: Sequence[float]
    """Of each process of the API, after the flood."""
    ratios: Sequence[float]
    """Of the worst hundredth with the crowd to that without it, by round."""
    turned_away: int = 0
    """Looks that were told to come back, of all in both times."""

    @property
    def ratio(self) -> float:
        """By how much the crowd slows the worst hundredth down: the middle round."""
        return round(median(self.ratios), 2)


async def measure(
    instance: Instance,
    handles: Sequence[str],
    *,
    seconds: float,
    crowd: int = CROWD,
    rate: float = RATE,
    rounds: int = ROUNDS,
) -> LoginFlood:
    """Measure at a running shop."""
    settings = Settings.read({"HOLDFAST_ENV": "development", **instance.addresses})
    async with opened(settings) as shop:
        client_id, emails = await _people(shop, crowd)
    task = Task(
        host="127.0.0.1",
        port=instance.port,
        rate=rate,
        lookers=LOOKERS,
        seconds=seconds,
        rounds=rounds,
        paths=[f"/v1/products/{handle}" for handle in handles],
        emails=emails,
        password=_PASSWORD,
        client_id=client_id,
    )
    seen = await asyncio.to_thread(_drive, task)
    quiet = [_percentile(times, 0.99) for times in seen.quiet_ms]
    flood = [_percentile(times, 0.99) for times in seen.flood_ms]
    return LoginFlood(
        crowd=crowd,
        rate=rate,
        quiet_p50_ms=median(_percentile(times, 0.5) for times in seen.quiet_ms),
        quiet_p99_ms=median(quiet),
        flood_p50_ms=median(_percentile(times, 0.5) for times in seen.flood_ms),
        flood_p99_ms=median(flood),
        logins=seen.logins,
        errors=seen.errors,
        seconds=rounds * seconds,
        api_memory_mb=instance.api_memory_mb(),
        ratios=[
            round(slow / max(fast, 1e-9), 2)
            for fast, slow in zip(quiet, flood, strict=True)
        ],
        turned_away=seen.turned_away,
    )


async def _people(shop: Shop, count: int) -> tuple[str, list[str]]:
    """Accounts that can be signed in to, and an application of the shop's own."""
    at, phc = system_clock(), await shop.hasher.hash(_PASSWORD)
    client = oauth.Client(
        id=f"bench-{new_id()}",
        name="Benchmark of sign-ins",
        kind="public",
        redirect_uris=("https://bench.test/callback",),
        grant_types=("authorization_code", "refresh_token"),
        scopes=_SCOPES,
        first_party=True,
        created_at=at,
        updated_at=at,
        disabled_at=None,
    )
    emails = [f"{new_id()}@bench.test" for _ in range(count)]
    async with shop.db.transaction() as tx:
        await oauth.add_client(tx, client, None)
        for email in emails:
            account_id = new_id()
            await accounts.create(
                tx,
                shop.vault,
                account_id=account_id,
                email=email,
                password=phc,
                verified_at=at,
                at=at,
            )
            await identity.grant_role(tx, account_id, "customer", by="bench", at=at)
    return client.id, emails


def _drive(task: Task) -> Seen:
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            (sys.executable, "-P", "-c", _RUN),
            input=msgspec.json.encode(task),
            stdout=subprocess.PIPE,
            timeout=task.rounds * (2 * task.seconds + _PATIENCE_SECONDS),
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=Seen)
    except (subprocess.SubprocessError, msgspec.DecodeError) as error:
        raise CannotBench(f"The crowd did not come to its end: {error}") from error


def _percentile(ordered: Sequence[float], share: float) -> float:
    if not ordered:
        raise CannotBench("Nobody looked at anything.")
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 2)
