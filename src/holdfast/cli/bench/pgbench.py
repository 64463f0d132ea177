"""The same SQL without a shop around it: what the database alone could do.

``pgbench`` runs the statements of the stage, taken from the same ``queries.sql``,
with as many clients as the stage has users, prepared, in the same run. Their values
are literals or random numbers, so that the rows they meet are those of the shop.
"""

import asyncio
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import msgspec

from holdfast.cli.bench.dataset import CURRENCY, PRODUCTS, SEARCHES
from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.journeys import ADDRESS
from holdfast.cli.bench.stages import BROWSERS, BUYERS, PAGE, Stages, shuffled
from holdfast.domain import catalog, search
from holdfast.kernel.clock import system_clock
from holdfast.kernel.page import decode_id_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Database, Row
from holdfast.platform.embedded.postgres_build import Build
from holdfast.platform.settings import Settings

_CATALOG = "holdfast.domain.catalog"
_ORDERING = "holdfast.domain.ordering"
_INVENTORY = "holdfast.domain.inventory"
_PRICING = "holdfast.domain.pricing"
_PLATFORM = "holdfast.platform"
_TPS = re.compile(r"^tps = ([0-9.]+) \(without", re.MULTILINE)
_PARAMETER = re.compile(r"\$(\d+)")
_MAX_SCRIPTS = 40  # pgbench takes 128
_PATIENCE_SECONDS = 60.0
# As long as the answer of a checkout is.
_ANSWER = "convert_to(repeat('x', 1200), 'UTF8')"
_NOW = "now()"


class _Shown(msgspec.Struct):
    """A product of a page."""

    id: UUID


_shown = msgspec.json.Decoder(list[_Shown])


async def rate(stage: str, stages: Stages) -> float | None:
    """Transactions a second; None where there is nothing to compare with."""
    scripts = await _scripts(stage, stages)
    if not scripts:
        return None
    users = BUYERS if stage == "D" else BROWSERS
    with tempfile.TemporaryDirectory(prefix="holdfast-pgbench-") as folder:
        files = []
        for number, script in enumerate(scripts):
            file = Path(folder) / f"{number}.sql"
            file.write_text(script)
            files += ["-f", str(file)]
        return await _run(stages, users, files)


async def _run(stages: Stages, users: int, files: Sequence[str]) -> float:
    url = urlsplit(stages.shop.addresses["DATABASE_URL"])
    build = Build.find(Settings.from_environment().pg_bin)
    process = await asyncio.create_subprocess_exec(
        str(build.bin_dir / "pgbench"),
        *("-h", str(url.hostname), "-p", str(url.port), "-U", str(url.username)),
        *("-n", "-M", "prepared", "-c", str(users), "-j", "1"),
        *("-T", str(max(1, round(stages.seconds)))),
        *files,
        url.path.lstrip("/"),
        env={"PGPASSWORD": unquote(url.password or ""), "PGOPTIONS": "-c jit=off"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(stages.seconds + _PATIENCE_SECONDS):
            said = (await process.communicate())[0].decode("utf-8", "replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    found = _TPS.search(said)
    if process.returncode or found is None:
        raise CannotBench(f"pgbench failed: {said.strip().splitlines()[-1:]}")
    return float(found[1])


async def _scripts(stage: str, stages: Stages) -> list[str]:
    if stage == "A":
        return [_product()]
    if stage == "B":
        return await _pages(stages)
    if stage == "C":
        return [await _searched(stages.db, text) for text in SEARCHES]
    return [_order()] if stage == "D" else []


def _product() -> str:
    handle = "ARRAY['product-' || :number]::text[]"
    return "\n".join(
        (
            f"\\set number random(0, {PRODUCTS - 1})",
            _bound(_CATALOG, "read_by_handle", handle, _NOW),
        )
    )


async def _pages(stages: Stages) -> list[str]:
    rows = await stages.db.fetch("SELECT handle, id FROM categories")
    id_of = {row["handle"]: row["id"] for row in rows}
    scripts = []
    for path in shuffled(await stages.page_paths(), _MAX_SCRIPTS):
        query = dict(pair.split("=", 1) for pair in path.partition("?")[2].split("&"))
        after, category = query.get("after"), query.get("category")
        category_id = None if category is None else id_of[category]
        sheet = await catalog.page(
            stages.db,
            after=after,
            limit=PAGE,
            status="active",
            category_id=category_id,
        )
        last = decode_id_cursor(after) if after else UUID(int=0)
        page = _page(last, category, category_id)
        scripts.append(page + _priced(_ids(sheet)))
    return scripts


def _page(last: UUID, category: str | None, category_id: UUID | None) -> str:
    after, limit = f"'{last}'::uuid", f"{PAGE}::bigint"
    if category is None:
        return _bound(_CATALOG, "page_on_sale", after, limit, _NOW)
    # The shop looks the category up by its handle first.
    found = _bound(_CATALOG, "find_category", "NULL::uuid", f"'{category}'::text")
    return found + _bound(
        *(_CATALOG, "page_in_category", after, limit),
        *("'active'::text", f"'{category_id}'::uuid", _NOW),
    )


async def _searched(db: Database, text: str) -> str:
    """What the shop asks for a question, with the values it asks with."""
    asked = _Asked(db)
    finder = search.Finder(asked, reading=catalog.reading)
    found = await finder.find(
        await finder.understand(text),
        search.Filters(),
        sort="relevance",
        language="en",
        now=system_clock(),
        after=None,
        limit=PAGE,
        facets=False,
    )
    # Whether the server can tell what is alike is asked once a process.
    statements = (_filled_in(query, *map(_said, args)) for query, args in asked[1:])
    return "".join(statements) + _priced(found.ids)


class _Asked(list[tuple[str, tuple[object, ...]]]):
    """A connection that notes what it is asked."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    async def fetch(self, query: str, /, *args: Any) -> list[Row]:
        self.append((query, args))
        return await self._connection.fetch(query, *args)

    async def fetchrow(self, query: str, /, *args: Any) -> Row | None:
        self.append((query, args))
        return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        self.append((query, args))
        return await self._connection.fetchval(query, *args)


def _said(value: object) -> str:
    """A value as SQL has it; every moment is now."""
    if isinstance(value, datetime):
        return _NOW
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(_said, value))}]::text[]"
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted}'::text"
    return "NULL" if value is None else str(value)


def _ids(sheet: catalog.Sheet) -> list[UUID]:
    return [product.id for product in _shown.decode(f"[{sheet.json}]")]


def _priced(product_ids: Sequence[UUID]) -> str:
    """What else the products of a page cost, which the shop asks of every page."""
    ids = ",".join(str(product_id) for product_id in product_ids)
    if not ids:
        return ""
    return _bound(
        *(_PRICING, "priced", f"'{{{ids}}}'::uuid[]", "NULL::text", "NULL::uuid")
    )


def _order() -> str:
    """Every statement of a cart, its checkout and its order, with new ids each time."""
    cart, order, key = ":cart::uuid", ":ordered::uuid", "(:cart)::text"
    claimed = ("'bench'::text", "'checkout'::text", key)
    currency = f"'{CURRENCY}'::text"
    # As long as a sealed buyer is; nobody opens it.
    buyer, nobody = "decode(repeat('ab', 300), 'hex')", "NULL::uuid"
    index = "sha256(convert_to(:cart::text, 'UTF8'))"
    shipped = ("'standard'::text", "490::bigint", "'carrier'::text")
    token, now, quantities = "'\\x00'::bytea", _NOW, "ARRAY[1, 1]::bigint[]"
    skus = "ARRAY['SKU-' || :first || '-S', 'SKU-' || :second || '-L']::text[]"
    variants = f"(SELECT array_agg(id) FROM variants WHERE sku = ANY({skus}))"  # noqa: S608 - ours
    # pgbench takes a colon before a letter or digit for one of its variables.
    spaced = msgspec.json.format(msgspec.json.encode(ADDRESS), indent=1).decode()
    address = f"'{' '.join(spaced.split())}'::jsonb"
    parts = [
        f"\\set first random(0, {PRODUCTS // 2 - 1})",
        f"\\set second random({PRODUCTS // 2}, {PRODUCTS - 1})",
        # The shop makes its ids itself; this one statement stands in for that.
        "SELECT uuidv7() AS cart, uuidv7() AS ordered, uuidv7() AS event \\gset",
        _bound(_PRICING, "wares", skus, currency, nobody, now),
        _bound(
            *(_ORDERING, "open_cart", cart, token, currency, buyer, nobody, *shipped),
            *(now, "ARRAY[uuidv7(), uuidv7()]", variants, quantities),
            *("ARRAY[NULL, NULL]::bigint[]", "'cart'::text", "NULL::text"),
            *("0::bigint", nobody, "''::bytea", now),
        ),
        "BEGIN;",
        _bound(_PLATFORM, "claim", *claimed, token, order, now, now),
        _bound(_ORDERING, "take_cart", cart, now),
        _bound(
            *(_INVENTORY, "reserve", order, variants, quantities, now),
            *("NULL::timestamptz", "'{}'::uuid[]", "NULL::interval"),
        ),
        _bound(
            *(_ORDERING, "add_order", order, cart, token, currency, buyer, index),
            *(*shipped, "1000::bigint", "1490::bigint", now, variants, skus),
            *("ARRAY['a', 'b']::text[]", quantities, "ARRAY[500, 500]::bigint[]"),
            *(nobody, "'checkout'::text", "0::bigint", nobody),
        ),
        "COMMIT;",
        _filled_in(
            sql.joined(
                sql.load(_ORDERING)["mark_confirmed"], sql.load(_PLATFORM)["conclude"]
            ),
            *(order, "'ch'::text", "true", "'checkout'::text", now),
            *(*claimed, "201::smallint", address, _ANSWER, now),
            # Not an event that the worker knows: it would look for an order.
            *("ARRAY[:event]::uuid[]", "ARRAY['bench.nothing']::text[]"),
            "ARRAY['{}']::text[]",
        ),
        _bound(_ORDERING, "order", order),
    ]
    return "\n".join(parts)


def _bound(module: str, name: str, *values: str) -> str:
    """A statement of *module* with its parameters replaced by *values* in order."""
    return _filled_in(sql.load(module)[name], *values)


def _filled_in(statement: str, *values: str) -> str:
    """A statement with its parameters replaced by *values* in order, one for each."""
    statement = statement.rstrip().rstrip(";")
    lines = [n for n in statement.splitlines() if not n.lstrip().startswith("--")]
    text = "\n".join(lines)
    wanted = max((int(n) for n in _PARAMETER.findall(text)), default=0)
    if len(values) != wanted:
        raise ValueError(f"{len(values)} values for {wanted} parameters:\n{text}")
    text = _PARAMETER.sub(lambda found: values[int(found[1]) - 1], text)
    return f"{text};\n"
