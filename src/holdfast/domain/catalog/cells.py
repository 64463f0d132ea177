"""Texts in the cells of CSV files: harmless on the way out, restored on the way in.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end (or the wide
forms of those signs, which some programs take for the same) is a formula to whoever
opens the file. An apostrophe in front makes it text. What begins with apostrophes and
then such a sign gets one more, so that taking one away is always right: nothing is lost
on the way out and back.
"""

import csv
import re
from collections.abc import Iterable

_RUNS = re.compile(r"'*\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def defuse(text: str) -> str:
    """``=1+1`` -> ``'=1+1``; other texts as they are."""
    return f"'{text}" if _RUNS.match(text) else text


def restore(text: str) -> str:
    """What *text* was before ``defuse``."""
    return text[1:] if text[:1] == "'" and _RUNS.match(text) else text


def joined(texts: Iterable[str]) -> str:
    """Texts with commas between; one with a comma in it is in quotes."""
    return ", ".join(map(_quoted, texts))


def listed(text: str) -> list[str]:
    """The texts in *text*, each in one line; a comma in quotes divides none."""
    try:
        parts = next(csv.reader([text], strict=True, skipinitialspace=True), [])
    except csv.Error:
        # Quotes that are no such quotes: those of inches, or of a name.
        parts = text.split(",")
    return [line for part in parts if (line := as_line(part))]


def as_line(text: str) -> str:
    """*text* with single spaces for whatever space is in it."""
    return " ".join(text.split())


def _quoted(text: str) -> str:
    if "," not in text and '"' not in text:
        return text
    return '"' + text.replace('"', '""') + '"'
