"""What is asked of a catalogue, whatever its size: the questions, and the deep page."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import aiohttp

from holdfast.cli.bench.catalogue.asking import Answers, Asker, Question
from holdfast.cli.bench.catalogue.filling import Filled
from holdfast.cli.bench.catalogue.generated import (
    COLOURS,
    CURRENCY,
    MATERIALS,
    MIDDLES,
    SIZES,
    TOPS,
)
from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.journeys import Look
from holdfast.kernel.clock import monotonic
from holdfast.platform.db import Database

HANDLE, TOGETHER, PAGE = "handle", "together", "page"
SEARCH, SUGGEST, DEEP = "search", "suggestions", "deep"
FEW, MANY = 8, 32
_AT_ONCE = 64
_FORMS = 4_000
LISTS = {"list": "/v1/products?limit={}", "newest": "/v1/search?sort=newest&limit={}"}
_PAGE, _LEAP = 20, 100
_DEEPEST = 200_000
_WALK_SECONDS = 45.0
_ROUNDS = 2
_SHORT_SECONDS = 2.0
_PRESSED = (429, 503)
_ASKED_AGAIN = 40
_PAUSE_SECONDS = 0.25
_BURSTS = 10


def questions(filled: Filled) -> list[Question]:
    """The questions for a shop, the same each time."""
    dice = random.Random(20)  # noqa: S311 - the same load each time
    chosen = [dice.randrange(filled.products) for _ in range(_FORMS)]
    one = [
        Look(f"/v1/products/{h}", f'"handle":"{h}"')
        for h in (filled.handles[n] for n in chosen)
    ]
    titles = [filled.titles[n] for n in chosen]
    pages = [
        Look("/v1/products?limit=20", '"available":'),
        *(
            Look(f"/v1/products?limit=20&category=c{top}-{middle}-0", '"items":')
            for top in range(TOPS)
            for middle in range(MIDDLES)
        ),
    ]
    searches = [Look(_search(dice, title), '"facets":[') for title in titles]
    typing = [
        Look(f"/v1/suggestions?q={quote_plus(_begun(dice, title))}", '"products":')
        for title in titles
    ]
    return [
        Question(HANDLE, "product by handle", one, FEW),
        Question(TOGETHER, "the same, many at once", one, MANY),
        Question(PAGE, "page of 20", pages, FEW),
        Question(SEARCH, "search with facets", searches, FEW, "facets"),
        Question(SUGGEST, "suggestions", typing, FEW),
    ]


def _search(dice: random.Random, title: str) -> str:
    """Some words of a name, two of five times with something chosen."""
    words = title.split()
    typed = dice.sample(words, min(dice.randint(1, 3), len(words)))
    path = f"/v1/search?facets=true&limit=20&q={quote_plus(' '.join(typed))}"
    filters = (
        *[""] * 6,
        f"&option={quote_plus(f'Size:{dice.choice(SIZES)}')}",
        f"&option={quote_plus(f'Colour:{dice.choice(COLOURS)}')}&available=true",
        f"&attribute={quote_plus(f'material:{dice.choice(MATERIALS)}')}",
        f"&category=c{dice.randrange(TOPS)}&currency={CURRENCY}&price_max=10000",
    )
    return path + dice.choice(filters)


def _begun(dice: random.Random, title: str) -> str:
    """What is typed of a name so far: two letters at least."""
    return title[: dice.randint(2, max(3, min(len(title), 14)))].rstrip()


@dataclass(frozen=True, slots=True)
class Deep:
    """A page deep in a list, and its first."""

    name: str
    depth: int
    """Products before it."""
    first: Answers
    deep: Answers

    @property
    def ratio(self) -> float:
        return round(self.deep.p50_ms / max(self.first.p50_ms, 1e-9), 2)


async def deep_pages(asker: Asker, products: int) -> list[Deep]:
    """For each list its first page and one deep in it, in turns."""
    leap = max(1, min(_LEAP, products // 4))
    return [await _deep(asker, name, path, leap) for name, path in LISTS.items()]


async def _deep(asker: Asker, name: str, path: str, leap: int) -> Deep:
    depth, cursor = await _walk(asker.port, path.format(leap))
    first = path.format(_PAGE)
    paths = {"first page": first, "deep page": f"{first}&after={cursor}"}
    seen: dict[str, list[Answers]] = {title: [] for title in paths}
    rounds = _ROUNDS if asker.seconds >= _SHORT_SECONDS else 1
    for _ in range(rounds):
        for title, asked in paths.items():
            looks = [Look(asked, '"available":')]
            question = Question(name, f"{title} of {name}", looks, FEW)
            seen[title].append(await asker.ask(question, share=1 / rounds))
    # The better of two: what else the machine did hits one of them at most.
    best = [min(answers, key=lambda a: a.p50_ms) for answers in seen.values()]
    return Deep(name, depth, *best)


async def _walk(port: int, path: str) -> tuple[int, str]:
    """Go through a list as far as the time lets; how far that is, and the cursor.

    Nearly to its end, in a small shop: a whole page remains behind the cursor.
    """
    give_up, depth, cursor = monotonic() + _WALK_SECONDS, 0, ""
    before = [(0, "")]
    async with aiohttp.ClientSession(trust_env=False) as session:
        while depth < _DEEPEST and monotonic() < give_up:
            after = f"&after={cursor}" if cursor else ""
            page = await _get(session, f"http://127.0.0.1:{port}{path}{after}")
            if page["next"] is None:
                break
            depth, cursor = depth + len(page["items"]), page["next"]
            before.append((depth, cursor))
    # Behind the last cursor may be less than a page.
    found = before[-2] if before[-2:][0][1] else before[-1]
    if not found[1]:
        raise CannotBench("The list has no page but its first.")
    return found


async def _get(session: aiohttp.ClientSession, url: str) -> Any:
    status = 0
    for _ in range(_ASKED_AGAIN):
        async with session.get(url) as answer:
            status = answer.status
            if answer.ok:
                return await answer.json()
        if status not in _PRESSED:
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    raise CannotBench(f"{url} answers {status}.")


async def read_together(db: Database, port: int, handles: Sequence[str]) -> float:
    """How many single reads a statement answers, of 64 that come at once.

    PostgreSQL's own count of the statements; nobody else reads meanwhile.
    """
    asked = list(dict.fromkeys(handles))[:_AT_ONCE]
    url = f"http://127.0.0.1:{port}/v1/products/"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(trust_env=False, connector=connector) as session:
        before = 0
        # The first burst makes the connections.
        for burst in range(_BURSTS + 1):
            if burst == 1:
                before = await _calls(db)
            async with asyncio.TaskGroup() as group:
                for handle in asked:
                    group.create_task(_get(session, url + handle))
    calls = await _calls(db) - before
    return round(_BURSTS * len(asked) / max(calls, 1), 1)


async def _calls(db: Database) -> int:
    """Statements so far that read products by handles."""
    count: int = await db.fetchval(
        "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements "
        "WHERE query LIKE '%FROM products p%WHERE p.handle = ANY%' "
        "AND query NOT LIKE '%pg_stat_statements%' AND dbid = ("
        "SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return count
