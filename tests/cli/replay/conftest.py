"""A shop behind a real socket, some sales in a file, and a replay of them."""

import asyncio
import csv
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import uvicorn

from holdfast.api.app import serving
from holdfast.cli import replay
from holdfast.cli.replay import Options
from holdfast.domain import identity, ordering
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows import keys

HEAD = (
    *("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate"),
    *("UnitPrice", "CustomerID", "Country"),
)
AT = "2010-12-01 08:26:00"
BOUGHT = [
    ("536365", "85123A", "WHITE HEART HOLDER", "6", AT, "2.55", "17850.0", "France"),
    ("536365", "71053", "WHITE METAL LANTERN", "6", AT, "3.39", "17850.0", "France"),
    # The same code again at another price, and one that differs only in its case.
    ("536365", "85123A", "WHITE HEART HOLDER", "2", AT, "2.1", "17850.0", "France"),
    ("536365", "85123a", "White heart, big", "1", AT, "4.955", "17850.0", "France"),
    ("536366", "BANK CHARGES", "Bank  charges", "1", AT, "15", "", "Nowhere"),
    ("536366", "85123A", "", "1000000", AT, "2.55", "", "Nowhere"),
]
NOT_SOLD = [
    ("C536367", "85123A", "WHITE HEART HOLDER", "-6", AT, "2.55", "1.0", "France"),
    ("536368", "85123A", "lost", "-4", AT, "0", "", "United Kingdom"),
    ("536369", "85123A", "found", "4", AT, "0.0", "", "United Kingdom"),
    ("A536370", "B", "Adjust bad debt", "1", AT, "-11062.06", "", "United Kingdom"),
]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder of one file with these rows."""

    def put(*rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> Path:
        folder = tmp_path / "retail"
        folder.mkdir(exist_ok=True)
        with (folder / "2010-12-01.csv").open("w", newline="") as file:
            csv.writer(file).writerows([head, *rows])
        return folder

    return put


@pytest.fixture
def bought() -> list[tuple[str, ...]]:
    """Two invoices as rows."""
    return BOUGHT


@pytest.fixture
def not_sold() -> list[tuple[str, ...]]:
    """Rows that are no sale: a cancellation and adjustments."""
    return NOT_SOLD


@pytest.fixture
def month(write: Write) -> Path:
    return write(*BOUGHT, *NOT_SOLD)


@pytest.fixture
def real_sales(shared_data: Path) -> Path:
    """A month of a real shop, where a checkout has it beside it."""
    if not (shared_data / "retail").is_dir():
        pytest.skip("the sales are not among the real input")
    return shared_data / "retail"


class Served(NamedTuple):
    """A shop behind a real socket, and the key of its operator."""

    url: str
    key: str
    payment_url: str

    def options(self, folder: Path) -> Options:
        return Options(
            folder, self.url, self.key, self.payment_url, concurrency=4, as_json=True
        )


@pytest.fixture
async def served(shop, settings, monkeypatch, tmp_path) -> AsyncIterator[Served]:
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    for name in ("DATABASE_URL", "HOLDFAST_PAYMENT_URL", "HOLDFAST_OPERATOR_KEY"):
        monkeypatch.delenv(name, raising=False)
    _, key = await keys.create_key(
        *(shop.db, shop.vault),
        name="operator",
        scopes=sorted(identity.KEY_SCOPES),
        clock=shop.clock,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(serving(shop), lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve(sockets=[listener]))
        port = listener.getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}", key, settings.payment_url)
        server.should_exit = True
        await task


class Outcome(NamedTuple):
    """How a replay ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict:
        return json.loads(self.out)

    @property
    def differences(self) -> str:
        return "; ".join(
            f"{finding['what']}: {', '.join(finding['differences'])}"
            for finding in self.report["findings"]
            if not finding["same"]
        )


Replay = Callable[[Options], Awaitable[Outcome]]


@pytest.fixture
def replayed(capsys: pytest.CaptureFixture[str]) -> Replay:
    """Replay in a thread, as the server has the loop of the test."""

    async def run(options: Options) -> Outcome:
        def command() -> int:
            with pytest.raises(SystemExit) as end:
                replay.run(options)
            return end.value.code

        code = await asyncio.to_thread(command)
        return Outcome(code, *capsys.readouterr())

    return run


Readdress = Callable[[str, str], Awaitable[None]]


@pytest.fixture
def readdress(database: Database, vault: Vault) -> Readdress:
    """Change the sealed e-mail addresses of orders, behind the shop's back."""

    async def change(before: str, after: str) -> None:
        changed = 0
        for row in await database.fetch("SELECT id, sealed FROM orders"):
            place = f"orders:{row['id']}"
            plain = vault.open(row["sealed"], place=place)
            other = plain.replace(before.encode(), after.encode())
            changed += other != plain
            await database.fetch(
                "UPDATE orders SET sealed = $2 WHERE id = $1",
                *(row["id"], vault.seal(other, place=place)),
            )
        assert changed, "a test that changes nothing proves nothing"

    return change


@pytest.fixture
def reopen_payment(database: Database, vault: Vault) -> Callable[..., Awaitable[None]]:
    """Let the payment of the order of an invoice be undecided again."""

    async def change(invoice: str) -> None:
        email = f"invoice-{invoice}@replay.example.com"
        (order,) = (
            await ordering.latest(database, vault, after=None, limit=2, email=email)
        ).items
        await database.fetch(
            "UPDATE orders SET status = 'pending', payment_status = 'pending',"
            " captured_amount = 0, settled_at = NULL WHERE id = $1",
            order.id,
        )

    return change
