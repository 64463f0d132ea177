"""What every handler may reach: the open connections of one process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from holdfast.domain import catalog
from holdfast.domain.payments import Provider
from holdfast.domain.shipping import Carrier
from holdfast.kernel.clock import Clock, system_clock
from holdfast.platform import http
from holdfast.platform.db import Database
from holdfast.platform.metrics import Metrics
from holdfast.platform.settings import Settings
from holdfast.platform.telemetry import AccessLog
from holdfast.workflows.providers import providers


@dataclass(slots=True)
class Shop:
    """Everything a handler is given besides the request itself."""

    settings: Settings
    db: Database
    metrics: Metrics
    payments: Provider
    carrier: Carrier
    _: KW_ONLY
    clock: Clock = system_clock
    access_log: AccessLog | None = None
    cache: Any = None
    is_stopping: bool = False
    """Set when the process was told to stop: no longer ready for new work."""
    products: catalog.Reader = field(init=False)
    """Single products: concurrent requests share statements."""

    def __post_init__(self) -> None:
        self.products = catalog.Reader(self.db)


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    access_log: AccessLog | None = None,
) -> AsyncIterator[Shop]:
    """Open what the settings name, and close it in the opposite order."""
    if settings.database_url is None:
        raise ValueError("DATABASE_URL must be set")
    async with AsyncExitStack() as closing:
        db = await Database.connect(
            settings.database_url, size=settings.database_pool_size
        )
        closing.push_async_callback(db.close)
        session = http.session()
        closing.push_async_callback(session.close)
        others = providers(settings, session)
        yield Shop(
            settings,
            db,
            Metrics(settings.raw),
            others.payments,
            others.carrier,
            clock=clock,
            access_log=access_log,
        )
