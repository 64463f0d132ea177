"""``holdfast worker``: does what orders and the clock ask for, until told to stop.

SIGTERM and SIGINT stop it gracefully. A database that is away, now or later, is
waited for; only settings that cannot work end it.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from datetime import timedelta

import aiohttp
import structlog
import uvloop

from holdfast.cli.running import settings_of_running_shop
from holdfast.domain.notifications import (
    Mailer,
    MailRefused,
    MailServerSilent,
    MailServerUnavailable,
)
from holdfast.domain.payments import Provider
from holdfast.kernel.clock import system_clock
from holdfast.platform import (
    circuits,
    controls,
    dependencies,
    garbage,
    http,
    telemetry,
)
from holdfast.platform.circuit_metrics import CircuitMetrics
from holdfast.platform.circuits import Circuits
from holdfast.platform.controls import Controls
from holdfast.platform.data_keys import DataKeys, followed
from holdfast.platform.db import Database
from holdfast.platform.guarded_storage import open_guarded
from holdfast.platform.outgoing import OutgoingCalls
from holdfast.platform.redis import Cache
from holdfast.platform.settings import BadSettings, Secret, Settings
from holdfast.platform.vault import Vault
from holdfast.worker.handlers import Reach
from holdfast.worker.main import Worker
from holdfast.worker.metrics import Metrics
from holdfast.worker.recurring import rest
from holdfast.worker.schedule import Settle
from holdfast.workflows.data_keys import Resealing
from holdfast.workflows.providers import Providers, providers
from holdfast.workflows.settlement import overdue_after, settle_overdue

_LOOK_AGAIN_SECONDS = 1.0
# Each word of a mail server may take ten, and there are a few.
MAIL_SECONDS = 30.0
_log = structlog.get_logger()


def run(*, health_host: str, health_port: int | None) -> None:
    """Run a worker until it is told to stop; ``BadSettings`` when it cannot."""
    settings = settings_of_running_shop()
    telemetry.configure(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, health_host, health_port))


async def _work(settings: Settings, health_host: str, health_port: int | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    url = settings.database_url or Secret("")
    async with AsyncExitStack() as closing:
        db = await Database.connect(
            url, size=settings.database_pool_size, language=settings.language
        )
        closing.push_async_callback(db.close)
        session = http.session()
        closing.push_async_callback(session.close)
        metrics = Metrics()
        guards = Circuits(
            dependencies.names(settings), metrics=CircuitMetrics(metrics.registry)
        )
        cache = None
        if settings.redis_url is not None:
            breaker = guards[dependencies.REDIS].breaker
            cache = Cache.connect(settings.redis_url, size=2, breaker=breaker)
            closing.push_async_callback(cache.close)
        following = await closing.enter_async_context(controls.followed(Controls(db)))
        following.watch(circuits.CONTROL, guards.override)
        await closing.enter_async_context(circuits.followed(guards, cache))
        keys = await _keys(settings, db, guards, stop)
        if keys is None:
            return
        vault = await closing.enter_async_context(followed(keys))
        calls = OutgoingCalls(metrics.registry)
        others = outside(settings, session, calls, guards, cache)
        provider = None if others is None else others.payments
        worker = Worker(
            url,
            Reach(
                db,
                vault,
                mailer(settings, guards),
                system_clock,
                settings.public_url,
                pay_page=settings.pay_page,
                cart_days=settings.cart_days,
                stock_mail_to=settings.stock_mail_to,
                payments=provider,
                carrier=None if others is None else others.carrier,
                carrier_timeout_seconds=settings.carrier_timeout_seconds,
                storage=open_guarded(
                    *(settings.media_url, settings.home / "images"),
                    guards[dependencies.STORAGE],
                    observe=calls.watch("storage"),
                ),
            ),
            None if provider is None else settling(settings, db, vault, provider),
            metrics=metrics,
            reseal=Resealing(db, keys, system_clock).turn,
            grace_seconds=settings.shutdown_grace_seconds,
        )
        garbage.settle()
        await worker.run(stop, health_host=health_host, health_port=health_port)


async def _keys(
    settings: Settings, db: Database, guards: Circuits, stop: asyncio.Event
) -> DataKeys | None:
    """The keys of personal data, once the database gives them; None if stopped."""
    failed = False
    while not stop.is_set():
        try:
            return await DataKeys.open(
                db,
                settings.data_key,
                guard=guards[dependencies.KEYS],
                clock=system_clock,
            )
        except BadSettings:
            # Waiting does not bring the right key.
            raise
        except Exception as error:  # noqa: BLE001 - as what the worker does later
            if not failed:
                _log.warning("failing", activity="data_keys", error=str(error))
            failed = True
            await rest(stop, _LOOK_AGAIN_SECONDS)
    return None


def outside(
    settings: Settings,
    session: aiohttp.ClientSession,
    calls: OutgoingCalls,
    guards: Circuits | None = None,
    cache: Cache | None = None,
) -> Providers | None:
    """The payment provider and the carrier; None where there is none to ask."""
    if settings.payment_url is None or settings.carrier_url is None:
        _log.warning("payments_stay_as_they_are", missing="HOLDFAST_PAYMENT_URL")
        return None
    return providers(settings, session, cache=cache, calls=calls, circuits=guards)


def settling(
    settings: Settings, db: Database, vault: Vault, provider: Provider
) -> Settle:
    """How overdue orders are settled."""
    after = overdue_after(settings.payment_timeout_seconds)
    patience = timedelta(seconds=settings.payment_action_seconds)

    async def settle(limit: int) -> int:
        return await settle_overdue(
            db,
            vault,
            provider,
            clock=system_clock,
            after=after,
            patience=patience,
            limit=limit,
        )

    return settle


def mailer(settings: Settings, guards: Circuits | None = None) -> Mailer | None:
    """The mail server of the settings; None keeps e-mails in the shop's mailbox."""
    if settings.mail_url is None:
        return None
    guard = (guards or Circuits())[dependencies.MAIL]
    # Tried once: the queue of jobs tries again, and only one layer may.
    protect = guard.around(
        timeout_seconds=MAIL_SECONDS,
        failures=(MailServerUnavailable,),
        unreachable=(MailServerSilent,),
        answers=(MailRefused,),
    )
    return Mailer(settings.mail_url, sender=settings.mail_from, protect=protect)
