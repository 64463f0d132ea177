"""``holdfast seed demo``: a small shop to look around in.

Products that are there already stay as they are, stock that was sold stays sold;
a second seeding changes nothing. The main location gets an address, if it has none, so
that a carrier knows where to fetch what is sold.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from holdfast.cli.demo.catalogue import FOLDER, Item, items
from holdfast.cli.demo.collections import collect
from holdfast.cli.demo.pictures import Recipe
from holdfast.cli.running import settings_of_running_shop
from holdfast.domain import inventory
from holdfast.kernel.clock import Clock, system_clock
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret
from holdfast.workflows import catalog as workflows
from holdfast.workflows.catalog import Outcome
from holdfast.workflows.stock_locations import change_location

_ACTOR = "demo"
DEPOT = {
    "name": "Harbour Tea",
    "line1": "1 Sample Quay",
    "city": "Hamburg",
    "postal_code": "20457",
    "country": "DE",
}


def run() -> None:
    """Seed the running shop and say what came of it."""
    settings = settings_of_running_shop()
    demo = list(items(settings.currency))
    drawn = draw(settings.home / "images", (item.picture for item in demo))
    outcomes = asyncio.run(_seed(settings.database_url or Secret(""), demo))
    counts = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome)
    print(f"Demo catalogue: {counts}; {drawn} pictures drawn.")


async def _seed(url: str, demo: list[Item]) -> Counter[Outcome]:
    db = await Database.connect(url, size=1)
    try:
        return await seed(db, demo)
    finally:
        await db.close()


async def seed(
    db: Database, demo: Iterable[Item], *, clock: Clock = system_clock
) -> Counter[Outcome]:
    """Take the demo's products in, all of them or none, and show some together."""
    arrivals = [item.arrival for item in demo]
    main = await inventory.find_location(db, inventory.MAIN)
    if main.address is None:
        await change_location(db, main.code, {"address": DEPOT}, clock=clock)
    taken = await workflows.import_products(db, arrivals, clock=clock, actor=_ACTOR)
    await collect(db, clock=clock, actor=_ACTOR)
    return Counter(taken)


def draw(images: Path, recipes: Iterable[Recipe]) -> int:
    """Draw the pictures that are missing; returns how many."""
    folder = images / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    missing = [recipe for recipe in recipes if not (folder / recipe.name).exists()]
    # Pillow works outside the interpreter's lock.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for recipe, picture in zip(
            missing, pool.map(Recipe.draw, missing), strict=True
        ):
            _write(folder / recipe.name, picture)
    return len(missing)


def _write(path: Path, content: bytes) -> None:
    """Appear whole or not at all: a picture cut short would be served for ever."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
