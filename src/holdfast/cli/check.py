"""``holdfast check``: what the settings amount to, and whether all of it answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

import aiohttp
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.running import settings_of_running_shop
from holdfast.kernel.errors import DomainError
from holdfast.platform import data_keys, http, migrate
from holdfast.platform.db import Database
from holdfast.platform.redis import Cache
from holdfast.platform.settings import BadSettings, Secret, Settings
from holdfast.platform.storage import open_storage

_PATIENCE_SECONDS = 5


class NotInOrder(Exception):
    """What was asked answers, but not as it should."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was asked, and what it said."""

    name: str
    said: str
    fine: bool


def run() -> None:
    """Print settings and findings; exits 1 when one of them is not fine."""
    settings = settings_of_running_shop()
    console = Console(highlight=False)
    console.print(_settings_table(settings))
    findings = asyncio.run(_ask_all(settings))
    console.print(_findings_table(findings))
    if not all(finding.fine for finding in findings):
        raise SystemExit(1)


async def _ask_all(settings: Settings) -> list[Finding]:
    async with http.session() as session:
        questions: dict[str, Callable[[], Awaitable[str]]] = {
            "PostgreSQL": lambda: _postgres(settings),
            "migrations": lambda: _migrations(settings),
            "data key": lambda: _data_key(settings),
            "Redis": lambda: _redis(settings),
            "pictures": lambda: _pictures(settings),
            "payment provider": lambda: _answers(session, settings.payment_url),
            "carrier": lambda: _answers(session, settings.carrier_url),
        }
        return [await _ask(name, ask) for name, ask in questions.items()]


async def _ask(name: str, question: Callable[[], Awaitable[str]]) -> Finding:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return Finding(name, await question(), fine=True)
    except TimeoutError:
        return Finding(name, "no answer in time", fine=False)
    except (
        DomainError,
        NotInOrder,
        BadSettings,
        OSError,
        aiohttp.ClientError,
        migrate.MigrationFailed,
    ) as error:
        return Finding(name, str(error), fine=False)


async def _postgres(settings: Settings) -> str:
    async with _database(settings) as db:
        return f"version {await db.fetchval('SHOW server_version')}"


async def _migrations(settings: Settings) -> str:
    async with _database(settings) as db:
        if missing := await migrate.pending(db):
            raise NotInOrder(f"not applied: {', '.join(missing)} (holdfast migrate)")
    return "up to date"


async def _data_key(settings: Settings) -> str:
    async with _database(settings) as db:
        if await migrate.pending(db):
            raise NotInOrder("not asked before the migrations are applied")
        return await data_keys.probe(db, settings.data_key)


async def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        raise NotInOrder("REDIS_URL is not set")
    cache = Cache.connect(settings.redis_url, size=1)
    try:
        await cache.ping()
    finally:
        await cache.close()
    return "answers"


async def _pictures(settings: Settings) -> str:
    storage = open_storage(settings.media_url, settings.home / "images")
    await storage.put("check", "probe", b"holdfast check")
    await storage.remove_folder("check")
    return "can be kept" + ("" if settings.media_url else f" in {settings.home}")


async def _answers(session: aiohttp.ClientSession, url: str | None) -> str:
    if url is None:
        raise NotInOrder("its URL is not set")
    async with session.get(f"{url.rstrip('/')}/livez") as response:
        if response.status >= 500:  # noqa: PLR2004 - HTTP
            raise NotInOrder(f"answers {response.status}")
    return "answers"


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.connect(settings.database_url or "", size=1)
    try:
        yield db
    finally:
        await db.close()


def _settings_table(settings: Settings) -> Table:
    table = Table("setting", "value", title="Settings", title_justify="left")
    for field in fields(settings):
        if field.repr:
            value = getattr(settings, field.name)
            shown = data_keys.shown if field.name == "data_key" else _shown
            table.add_row(field.name, Text(shown(value)))
    return table


def _shown(value: object) -> str:
    """A value as an operator may see it: an address without its password."""
    if value is None:
        return ""
    if not isinstance(value, Secret):
        return str(value)
    parts = urlsplit(value)
    if not parts.hostname:
        return repr(value)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def _findings_table(findings: list[Finding]) -> Table:
    table = Table("asked", "said", title="Dependencies", title_justify="left")
    for finding in findings:
        style = "" if finding.fine else "bold red"
        table.add_row(finding.name, Text(finding.said), style=style)
    return table
