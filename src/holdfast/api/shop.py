"""What every handler may reach: the open connections of one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta

from holdfast.api.health import Health
from holdfast.api.key_uses import KeyUses
from holdfast.api.policy import Route
from holdfast.api.protection import rate_store
from holdfast.api.protection.deadlines import DeadlineMetrics
from holdfast.api.protection.keys import Keyed
from holdfast.api.protection.load import Load
from holdfast.api.protection.metrics_keys import KeyMetrics
from holdfast.api.protection.metrics_load import LoadMetrics
from holdfast.api.protection.metrics_rate import RateMetrics
from holdfast.api.protection.policies import (
    PLAN_CONTROL,
    POLICY_CONTROL,
    Policies,
)
from holdfast.api.protection.quotas import Quotas
from holdfast.api.refused import RefusedCredentials
from holdfast.domain import catalog, inventory, oauth, pricing, search
from holdfast.domain.accounts import Hasher
from holdfast.domain.media import UploadMetrics
from holdfast.domain.payments import Provider
from holdfast.domain.shipping import Carrier
from holdfast.kernel.clock import Clock, system_clock
from holdfast.platform import circuits, controls, data_keys, dependencies, http
from holdfast.platform.circuit_metrics import CircuitMetrics
from holdfast.platform.circuits import Circuits
from holdfast.platform.controls import Controls
from holdfast.platform.data_keys import DataKeys
from holdfast.platform.db import Database, DatabaseBusy, DatabaseUnavailable
from holdfast.platform.guarded_storage import open_guarded
from holdfast.platform.metrics import Metrics
from holdfast.platform.outgoing import OutgoingCalls
from holdfast.platform.rates import EVERY
from holdfast.platform.redis import Cache
from holdfast.platform.settings import Settings
from holdfast.platform.storage import Storage
from holdfast.platform.telemetry import AccessLog
from holdfast.platform.vault import Vault
from holdfast.resilience.rate import Limiter
from holdfast.workflows import doors
from holdfast.workflows.doors import Doors
from holdfast.workflows.drops import WaitingRoom
from holdfast.workflows.invoices import Press
from holdfast.workflows.outside_sign_in import Providers, openid_providers
from holdfast.workflows.providers import providers
from holdfast.workflows.reservations import Reservations, Skus
from holdfast.workflows.rush import Rush

_UNLOCK_SECONDS = 5.0
# A batch of holds that cannot be decided soon is told to come back, and does.
_BATCH_LOCK_MS = 300
_BATCH_STATEMENT_MS = 2_000


@dataclass(slots=True)
class Shop:
    """Everything a handler is given besides the request itself."""

    settings: Settings
    db: Database
    metrics: Metrics
    payments: Provider
    carrier: Carrier
    vault: Vault
    hasher: Hasher
    _: KW_ONLY
    clock: Clock = system_clock
    access_log: AccessLog | None = None
    cache: Cache | None = None
    """Redis; None where no address is set. What is in it may be lost."""
    health: Health = field(init=False)
    """What ``/readyz`` says."""
    controls: Controls = field(init=False)
    """What operators have changed while the shop runs."""
    routes: tuple[Route, ...] = ()
    """The routes this process serves."""
    keyring: oauth.KeyRing = field(init=False)
    """The keys that sign tokens."""
    key_uses: KeyUses = field(init=False)
    """Notes which API keys are used."""
    refused: RefusedCredentials = field(init=False)
    """Notes which credentials are refused."""
    circuits: Circuits = field(default_factory=Circuits)
    """What stands around calls to others."""
    openid: Providers = field(default_factory=dict)
    """The OpenID providers with which people may sign in, by id."""
    press: Press = field(init=False)
    """Draws invoices."""
    products: catalog.Reader = field(init=False)
    """Single products: concurrent requests share statements."""
    prices: pricing.Reader = field(init=False)
    """What decides the prices of single products, read in the same way."""
    calls: OutgoingCalls | None = None
    """What counts calls to others; None to count none."""
    media: UploadMetrics = field(init=False)
    """What is counted of pictures."""
    storage: Storage = field(init=False)
    """The files of pictures."""
    looking_db: Database | None = None
    """Connections that only those use who look at products; None to share all's."""
    looking: Database = field(init=False)
    """Reads what is sold."""
    finder: search.Finder = field(init=False)
    """What is sold, by what people look for."""
    hot_db: Database | None = None
    """Connections that only holds of hot SKUs use; None to share those of all."""
    reservations: Reservations = field(init=False)
    """Stock held for carts: requests for a hot SKU share transactions."""
    rush: Rush = field(init=False)
    """The same for those who check out without a hold."""
    doors: Doors = field(init=False)
    """What is sold to those only whose turn it is."""
    waiting_room: WaitingRoom = field(init=False)
    """Where the others wait."""
    deadlines: DeadlineMetrics = field(init=False)
    """What is counted of requests whose time ran out."""

    watching: Database | None = None
    """A connection that only watching and operators' controls use."""
    load: Load = field(init=False)
    """How this process fares, and who is turned away."""
    limiter: Limiter | None = None
    """Where limits for all processes are counted; None to count them in this one."""
    quotas: Quotas = field(init=False)
    """Who asks too much is told so."""

    keyed: Keyed = field(init=False)
    """Requests with an idempotency key."""

    def __post_init__(self) -> None:
        self.controls = Controls(self.db)
        self.keyring = oauth.KeyRing(self.db, self.vault, self.clock)
        self.deadlines = DeadlineMetrics(self.metrics.registry)
        self.key_uses = KeyUses(self.db, self.vault, clock=self.clock)
        self.refused = RefusedCredentials(self.db, self.vault, clock=self.clock)
        self.looking = self.looking_db or self.db
        self.finder = search.Finder(self.looking, reading=catalog.reading)
        self.products = catalog.Reader(self.looking, self.clock)
        self.prices = pricing.Reader(self.looking)
        self.media = UploadMetrics(self.metrics.registry)
        self.storage = open_guarded(
            *(self.settings.media_url, self.settings.home / "images"),
            self.circuits[dependencies.STORAGE],
            observe=None if self.calls is None else self.calls.watch("storage"),
        )
        self.health = Health(self.db, self.cache, self.vault, self.storage)
        seller = self.settings.invoice_seller or (self.settings.public_url,)
        self.press = Press(seller)
        self.load = Load(
            self.settings,
            clock=self.clock,
            metrics=LoadMetrics(self.metrics.registry),
        )
        rates = RateMetrics(self.metrics.registry)
        self.load.metrics.handing_on += [rates.hand_on, self.metrics.hand_on]
        protected = self.settings.protection == "on"
        self.quotas = Quotas(
            Policies(self.settings.rate_limits if protected else {EVERY: None}),
            vault=self.vault,
            metrics=rates,
            store=self.limiter,
        )
        self.doors = Doors(
            self.db,
            self.vault,
            self.clock,
            pressure=lambda: self.load.guard.monitor.pressure,
        )
        self.reservations = Reservations(
            self.db,
            self.vault,
            inventory.Holding(
                self.db,
                self.hot_db or self.db,
                lasts=timedelta(seconds=self.settings.reservation_seconds),
                clock=self.clock,
                metrics=inventory.HoldMetrics(self.metrics.registry),
            ),
            Skus(self.db),
            self.clock,
            self.doors,
        )
        self.keyed = Keyed(
            self.db,
            self.vault,
            clock=self.clock,
            metrics=KeyMetrics(self.metrics.registry),
        )
        self.rush = Rush(self.db, self.vault, self.reservations.holding)
        self.waiting_room = WaitingRoom(self.db, self.vault, self.doors, self.clock)

    async def noted(self) -> None:
        """Wait a moment for what is being written beside requests."""
        await self.key_uses.close()
        await self.refused.close()


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    access_log: AccessLog | None = None,
    hasher: Hasher | None = None,
) -> AsyncIterator[Shop]:
    """Open what the settings name, and close it in the opposite order.

    A *hasher* that is given stays open: it is the caller's.
    """
    if settings.database_url is None:
        raise ValueError("DATABASE_URL must be set")
    async with AsyncExitStack() as closing:
        db = await Database.connect(
            settings.database_url,
            size=settings.database_pool_size,
            language=settings.language,
        )
        closing.push_async_callback(db.close)
        # A connection of its own: a pool in full use must not look like a dead
        # database to those who decide where requests go.
        watching = await Database.connect(settings.database_url, size=1)
        closing.push_async_callback(watching.close)
        # And those of hot SKUs: what everybody wants must not keep others waiting.
        hot_db = await Database.connect(
            settings.database_url,
            size=inventory.MAX_CONNECTIONS,
            lock_timeout_ms=_BATCH_LOCK_MS,
            statement_timeout_ms=_BATCH_STATEMENT_MS,
        )
        closing.push_async_callback(hot_db.close)
        # Those of who looks at products, half as many: a checkout finds one, however
        # many search, and products are shown while all commits wait for a slow disk.
        looking_db = await Database.connect(
            settings.database_url,
            size=-(-settings.database_pool_size // 2),
            statements=search.KEPT_STATEMENTS,
            indexed=True,
        )
        closing.push_async_callback(looking_db.close)
        metrics = Metrics(settings.raw)
        guards = Circuits(
            dependencies.names(settings),
            metrics=CircuitMetrics(metrics.registry),
            bare=settings.protection == "off",
            clock=clock,
        )
        cache = None
        if settings.redis_url is not None:
            breaker = guards[dependencies.REDIS].breaker
            cache = Cache.connect(settings.redis_url, breaker=breaker)
            closing.push_async_callback(cache.close)
        if access_log is not None:
            closing.callback(access_log.flush)
        session = http.session()
        closing.push_async_callback(session.close)
        if hasher is None:
            hasher = Hasher(apart=True)
            closing.callback(hasher.close)
        limiter = None
        if settings.redis_url is not None:
            limiter = await closing.enter_async_context(
                rate_store.opened_store(
                    settings.redis_url,
                    processes=settings.api_processes,
                    registry=metrics.registry,
                )
            )
        calls = OutgoingCalls(metrics.registry)
        others = providers(
            settings,
            session,
            cache=cache,
            calls=calls,
            circuits=guards,
        )
        keys = DataKeys(
            db, settings.data_key, guard=guards[dependencies.KEYS], clock=clock
        )
        with suppress(DatabaseUnavailable, DatabaseBusy, TimeoutError):
            # Without a database the process starts all the same, with its vault locked,
            # and says that it is not ready.
            async with asyncio.timeout(_UNLOCK_SECONDS):
                await keys.unlock()
        shop = Shop(
            settings,
            db,
            metrics,
            others.payments,
            others.carrier,
            await closing.enter_async_context(data_keys.followed(keys)),
            hasher,
            clock=clock,
            access_log=access_log,
            cache=cache,
            circuits=guards,
            openid=openid_providers(settings, session, circuits=guards, clock=clock),
            hot_db=hot_db,
            looking_db=looking_db,
            limiter=limiter,
            calls=calls,
        )
        closing.push_async_callback(shop.noted)
        closing.push_async_callback(shop.reservations.holding.close)
        shop.watching = watching
        shop.health = Health(watching, cache, shop.vault, shop.storage)
        shop.controls = await closing.enter_async_context(
            controls.followed(Controls(watching))
        )
        shop.controls.watch(circuits.CONTROL, guards.override)
        await closing.enter_async_context(circuits.followed(guards, cache))
        shop.load.follow(shop.controls)
        db.on_wait = shop.load.waited_for_pool
        looking_db.on_wait = shop.load.waited_for_pool
        shop.controls.watch(POLICY_CONTROL, shop.quotas.policies.take_over)
        shop.controls.watch(PLAN_CONTROL, shop.quotas.policies.assign)
        await closing.enter_async_context(doors.followed(shop.doors))
        yield shop
