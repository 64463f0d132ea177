"""``holdfast replay retail``: sell again, over HTTP, what a real shop has sold.

Creates the catalogue of the files, sets each stock to exactly the units sold,
places and pays every invoice as an order at the prices of its lines, brings back what
was canceled, and then holds orders, returns, stock, ledger and the payment provider's
charges against the files. Exits with 0 when all agree, 1 when anything differs, 2 when
it could not be found out.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.cli.replay.books import Books, read_charges, read_stock
from holdfast.cli.replay.comparison import Finding, compare
from holdfast.cli.replay.placing import Placing, orders_of
from holdfast.cli.replay.remote import CannotReplay, Remote, talking
from holdfast.cli.replay.report import Progress, Report
from holdfast.cli.replay.returning import Returning, settled_returns
from holdfast.cli.replay.sales import BadFile, Sales, read
from holdfast.cli.running import NotRunning, settings_of_running_shop
from holdfast.kernel.clock import monotonic
from holdfast.platform.embedded import Home
from holdfast.platform.settings import BadSettings, Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    folder: Path
    url: str
    key: str | None = None
    payment_url: str | None = None
    concurrency: int = 16
    as_json: bool = False


def run(options: Options) -> None:
    """Replay and compare; raises ``SystemExit``."""
    started = monotonic()
    try:
        sales = read(options.folder)
        key, payment_url = _access(options)
        progress = Progress(shown=not options.as_json)
        with progress:
            report = asyncio.run(_replay(options, sales, key, payment_url, progress))
    except (BadFile, BadSettings, CannotReplay) as problem:
        print(f"holdfast replay: {problem}", file=sys.stderr)
        raise SystemExit(2) from None
    report.seconds = monotonic() - started
    report.show(as_json=options.as_json)
    raise SystemExit(0 if report.same else 1)


async def _replay(
    options: Options, sales: Sales, key: str, payment_url: str, progress: Progress
) -> Report:
    concurrency = options.concurrency
    async with talking(concurrency) as session:
        shop = Remote(session, "shop", options.url, key)
        provider = Remote(session, "payment provider", payment_url)
        placing = Placing(shop, sales, concurrency)
        before = await orders_of(shop)
        await placing.catalogue(progress.stage("catalogue", len(sales.articles)))
        if not before:
            await placing.stock()
        await placing.orders(before, progress.stage("orders", len(sales.invoices)))
        returning = Returning(shop, sales, concurrency)
        comebacks = len(sales.canceled.comebacks)
        await returning.carry_out(
            await orders_of(shop), progress.stage("returns", comebacks)
        )
        returns = await settled_returns(shop)
        books = Books(await orders_of(shop), returns=returns)
        await read_stock(books, shop, [article.code for article in sales.articles])
        await read_charges(books, provider)
    findings: list[Finding] = compare(sales, books)
    earlier = {o.invoice for o in before if o.status != "failed"}
    refused = {**placing.refused, **returning.refused}
    return Report(sales, findings, refused, len(earlier))


def _access(options: Options) -> tuple[str, str]:
    """The operator's key and the provider's address, from wherever they are kept."""
    try:
        settings = settings_of_running_shop()
    except NotRunning:
        settings = Settings.from_environment()
    key = options.key or settings.operator_key
    if not key:
        with suppress(OSError):
            key = Home(settings.home).operator_key.read_text().strip()
    if not key:
        raise CannotReplay(
            "It needs the key of an operator: --key, HOLDFAST_OPERATOR_KEY or the "
            f"file {Home(settings.home).operator_key}."
        )
    payment_url = options.payment_url or settings.payment_url
    if not payment_url:
        raise CannotReplay(
            "It must know where the payment provider is: --payment-url or "
            "HOLDFAST_PAYMENT_URL."
        )
    return key, payment_url
