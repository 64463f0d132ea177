"""What people look for in a real shop is among the first five."""

import csv
from pathlib import Path

import pytest

from holdfast.domain import catalog, inventory
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows.showing import show

LINES = Path(__file__).parents[2] / "data" / "relevance.txt"
FIRST = 5
PROMISED = 0.95
FEWEST = 60


@pytest.fixture
def articles(shared_data):
    """Titles by code, as the shop wrote them first."""
    titles: dict[str, str] = {}
    for path in sorted((shared_data / "retail").glob("*.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                if row["Description"].strip() and float(row["UnitPrice"] or 0) > 0:
                    titles.setdefault(row["StockCode"], row["Description"].strip())
    return titles


@pytest.fixture
def expected():
    """What is to be found, by what is typed."""
    lines = [
        line.split(" => ", 1)
        for line in LINES.read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    return {typed: set(titles.strip().split(" | ")) for typed, titles in lines}


@pytest.fixture
async def stocked(database, clock, articles):
    """A shop that sells them all."""
    entries = [
        catalog.Entry(
            new_id(),
            catalog.Draft(
                handle=f"article-{number}",
                title=title,
                status="active",
                variants=(
                    catalog.VariantDraft(sku=code, price=Money(1, "GBP"), options={}),
                ),
            ),
        )
        for number, (code, title) in enumerate(articles.items())
    ]
    async with database.transaction() as tx:
        added = await catalog.add(tx, entries, at=clock())
        new = list(added.variants.values())
        await inventory.open_levels(tx, new, at=clock())
        await show(tx, [entry.id for entry in entries])


class TestFinder:
    @pytest.mark.slow
    @pytest.mark.usefixtures("stocked")
    async def test_has_what_was_meant_among_the_first_five(self, find, expected):
        missed = {}
        for typed, titles in expected.items():
            found, _ = await find(typed, limit=FIRST)
            if titles.isdisjoint(found):
                missed[typed] = found

        assert len(expected) >= FEWEST
        assert len(missed) <= len(expected) * (1 - PROMISED), missed
