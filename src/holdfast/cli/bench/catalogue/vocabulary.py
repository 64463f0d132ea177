"""The names of things for sale: real ones from sales, or words put together.

A folder holds CSV files with a column ``Description``, as the data of shops does; the
same folder gives the same names, whatever order its files are listed in. Without one
there are a few hundred names of our own: enough to measure with, though searches find
more of the same than in a real shop.
"""

import csv
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.cli.bench.instance import CannotBench

_COLUMN = "Description"
_MIN_WORDS, _MAX_WORDS = 2, 12
_ENOUGH = 20
_HOW = ("Hanging", "Folding", "Vintage", "Small", "Large", "Set of 6", "Painted")
_OF = ("Oak", "Linen", "Steel", "Wool", "Glass", "Cotton", "Copper", "Leather")
_WHAT = ("Lantern", "Heart", "Bowl", "Basket", "Clock", "Cushion", "Tray", "Bottle")


def own_names() -> list[str]:
    """Names for a shop without data."""
    parts = itertools.product(_HOW, _OF, _WHAT)
    return [" ".join(words) for words in parts]


def names_in(folder: Path) -> list[str]:
    """What was sold, each name once; ``CannotBench`` if too little is told there."""
    found: dict[str, None] = {}
    for path in sorted(folder.glob("*.csv")):
        found |= dict.fromkeys(_names(path))
    if len(found) < _ENOUGH:
        raise CannotBench(
            f"{folder} has {len(found)} descriptions in its CSV files, and "
            f"{_ENOUGH} are needed."
        )
    return list(found)


def name_of(number: int, names: Sequence[str]) -> str:
    """The name of one of any number of products.

    The first have one each as it is; then the beginning of one goes with the end of
    another, so that words stay as frequent as they are in the data.
    """
    name = names[number % len(names)]
    turn = number // len(names)
    if not turn:
        return name
    # Coprime to most lengths, so that no two turns pair the same names.
    other = names[(number * 7919 + turn * 104_729) % len(names)].split()
    words = name.split()
    return " ".join([*words[: -(-len(words) // 2)], *other[len(other) // 2 :]])


def _names(path: Path) -> Iterator[str]:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.DictReader(file):
            name = " ".join((row.get(_COLUMN) or "").split())
            # Clerks wrote notes there too: "damaged", "?", "check".
            printable = name.isprintable() and "?" not in name
            if printable and _MIN_WORDS <= len(name.split()) <= _MAX_WORDS:
                yield name.title()
