"""From what somebody typed to a question that PostgreSQL understands.

Words are letters and digits as the database splits them (``search_text``), so nothing
in a question is ever a sign of the query language. A word that no product has is taken
for a typing error if one that products have is near: one slip away from four letters
on, two from eight on, where a slip is a letter too many, too few or wrong, or two that
changed places (Damerau's four kinds, which he found to be 80 % of all errors:
Communications of the ACM 7(3), 1964). Synonyms stand beside the term that was typed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MAX_WORDS = 16
"""Words of a question that are looked at; people type three."""
MAX_TERM_WORDS = 3
"""Words of a synonym."""
MARK = "\x1f"
"""Between the words of a question and the one that is still typed."""
MAX_LONGER = 20
"""Words that what is still typed may become: the most usual ones."""
_MAX_MEANT = 3
_COMMON = 2_000
"""What more products have is not taken for the beginning of another word: they come
first anyhow, and the words that go on so would be many."""
_ALL_BUT_ONE = 3, 8
"""Of how many words, from and to, all but one are looked for before any."""
_ONE_SLIP_CHARS, _TWO_SLIPS_CHARS = 4, 8
_CODE_CHARS = 5
"""Of a code so many characters are needed: every code may begin with the same zeros."""
_ENOUGH = 8
"""Times as many as are wanted."""
_SMALLEST = 8
"""The sample of one product in 256."""

# Signs with which somebody says how words belong together.
_OPERATOR = re.compile(r'"|(?:^|\s)-\w|\bor\b', re.IGNORECASE)

_APOSTROPHE = re.compile(r"(?<=\w)['`\u2019\u00b4\u02bc](?=\w)")
_INNER = re.compile(r'(?<=[^\W_])[^\w\s"]+(?=[^\W_])|_')


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was typed, and what is known of it."""

    text: str
    known: bool = True
    """Whether products have it or another form of it."""
    products: int = 0
    """How many products have it as it is, when that was counted."""
    longer: tuple[tuple[str, int], ...] = ()
    """What begins so, and how many products have that; the most usual first. Looked up
    for the last word, and for what is not known."""
    near: tuple[tuple[str, int], ...] = ()
    """What is like it, and how many products have that; the most alike first."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, in PostgreSQL's query language."""

    strict: str
    """With U+001F before what somebody is still typing."""
    relaxed: tuple[str, ...] = ()
    """What to ask if nothing has all the words: all but one of them, then any; none of
    these where there is only one, or operators say otherwise."""
    operators: bool = False
    """Whether it is as it was typed, with ``"``, ``-`` and ``or``."""
    corrections: Mapping[str, tuple[str, ...]] | None = None
    """What was taken for a typing error, and what for."""


def has_operators(typed: str) -> bool:
    """Whether quotes, ``-`` or ``or`` say how the words belong together."""
    return _OPERATOR.search(typed) is not None


def with_operators(typed: str) -> str:
    """The same in the words of the index: ``t-light`` is two, ``children's`` is one."""
    return _INNER.sub(" ", _APOSTROPHE.sub("", typed.replace("\x00", " ")))


def question(
    words: Sequence[Word],
    synonyms: Mapping[str, Sequence[str]],
    *,
    still_typing: bool,
    on_sale: bool = True,
) -> Question | None:
    """Ask for all these words; None without words.

    The last one may go on while somebody is typing, and so may one that no product has
    but some have the beginning of: as words of what is *on_sale* do, else in any way.
    *synonyms* are by the term that was typed, of one to three words.
    """
    if not words:
        return None
    corrections = {}
    for word in words:
        if not word.known and not word.longer:
            meant = correct(word.text, word.near)
            if meant:
                corrections[word.text] = meant
    groups = []
    for first, after in spans([word.text for word in words], synonyms):
        typed = [
            _any(
                _meant(
                    word,
                    goes_on=(
                        still_typing
                        and place == len(words)
                        and word.products <= _COMMON
                    )
                    or (bool(word.longer) and not word.known),
                    on_sale=on_sale,
                ),
                corrections.get(word.text, ()),
            )
            for place, word in enumerate(words[first:after], start=first + 1)
        ]
        alternatives = [" & ".join(typed)]
        term = " ".join(word.text for word in words[first:after])
        alternatives += [
            " & ".join(f"'{part}'" for part in other.split())
            for other in synonyms.get(term, ())
            if other != term
        ]
        groups.append(" | ".join(f"({one})" for one in alternatives))
    whole_groups = [f"({group})" for group in groups]
    whole = list(whole_groups)
    typing = [whole.pop()] if still_typing else []
    return Question(
        strict=MARK.join([" & ".join(whole), *typing]),
        relaxed=tuple(_less_strict(whole_groups)),
        corrections=corrections,
    )


def _less_strict(groups: Sequence[str]) -> Iterator[str]:
    """All but one of the groups, then any of them; nothing if there is only one."""
    if _ALL_BUT_ONE[0] <= len(groups) <= _ALL_BUT_ONE[1]:
        yield " | ".join(
            " & ".join((*groups[:place], *groups[place + 1 :]))
            for place in range(len(groups))
        )
    if len(groups) > 1:
        yield " | ".join(groups)


def _meant(word: Word, *, goes_on: bool, on_sale: bool) -> list[str]:
    """A word in the query language, and what it becomes if it *goes_on*."""
    itself = f"'{word.text}'"
    if not goes_on:
        return [itself]
    if on_sale and word.longer:
        return [itself, *(f"'{longer}'" for longer, _ in word.longer)]
    has_digit = any(char.isdigit() for char in word.text)
    if on_sale and has_digit and len(word.text) < _CODE_CHARS:
        return [itself]
    return [f"{itself}:*"]


def _any(meant: Sequence[str], others: Sequence[str]) -> str:
    every = [*meant, *(f"'{other}'" for other in others)]
    return f"({' | '.join(every)})"


def spans(
    words: Sequence[str], synonyms: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, int]]:
    """Cut *words* into the longest terms that have synonyms, and single words."""
    first = 0
    while first < len(words):
        after = first + 1
        for many in range(min(MAX_TERM_WORDS, len(words) - first), 1, -1):
            if " ".join(words[first : first + many]) in synonyms:
                after = first + many
                break
        yield first, after
        first = after


def correct(typed: str, near: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The words that somebody may have meant: the nearest, the most usual first."""
    if len(typed) < _ONE_SLIP_CHARS or any(char.isdigit() for char in typed):
        return ()
    allowed = 1 if len(typed) < _TWO_SLIPS_CHARS else 2
    found = [(slips(typed, word), -products, word) for word, products in near]
    least = min((n for n, _, _ in found), default=allowed + 1)
    if least > allowed:
        return ()
    meant = sorted(candidate for candidate in found if candidate[0] == least)
    return tuple(word for _, _, word in meant[:_MAX_MEANT])


def slips(typed: str, meant: str) -> int:
    """How many slips are between two words: the optimal string alignment distance."""
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for place, char in enumerate(typed, start=1):
        row, before, last = [place], row, before
        for at, other in enumerate(meant, start=1):
            cost = min(
                before[at] + 1, row[at - 1] + 1, before[at - 1] + (char != other)
            )
            if (
                place > 1
                and at > 1
                and char == meant[at - 2]
                and typed[place - 2] == other
            ):
                cost = min(cost, last[at - 2] + 1)
            row.append(cost)
    return row[-1]


def completed(word: Word) -> list[str]:
    """What a word may be in the end, itself among it; the most usual first."""
    itself = [(word.text, word.products)] if word.products else []
    found = sorted((-products, text) for text, products in [*itself, *word.longer])
    return [text for _, text in found]


def sample_of(word: Word, limit: int) -> int:
    """The sample in which there are enough products with it, or what it becomes.

    Of products by the thousand any few will do: PostgreSQL would fetch the places of
    all of them first.
    """
    most = max([word.products, *(products for _, products in word.longer)])
    return min(_SMALLEST, max(0, (most // (_ENOUGH * limit)).bit_length() - 1))


def suggestions(
    words: Sequence[str], completions: Sequence[str], *, limit: int
) -> list[str]:
    """What may be typed in the end: the words so far with the last one completed."""
    before = " ".join(words[:-1])
    return [f"{before} {word}".strip() for word in completions][:limit]
