"""Every commit of the stock, replayed: was a unit promised twice, or denied falsely?

Each transaction must leave a level as it found it plus what it promised and less what
it freed, and never promise more than there is. Pure: it is given the changes.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.cli.prove.history import Said
from holdfast.cli.prove.verdict import Verdict

_REMEMBERED_SECONDS = 0.6
"""For so long an answer may be true no more: half a second is promised, and clocks."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what the triggers wrote, in the order of writing."""

    tx: int
    sku: str
    location: str
    promised: int | None
    """By how much a reservation changed; None for a change of the level."""
    before: int
    """What was reserved of the level before; this and the following of a level."""
    reserved: int
    on_hand: int
    """What may be promised at most, backorders included."""
    at: float = 0.0


@dataclass(slots=True)
class _Commit:
    """What one transaction did to one level."""

    promised: int = 0
    first: Change | None = None
    last: Change | None = None


def replay(changes: Iterable[Change]) -> Verdict:
    """No unit promised twice at any commit."""
    levels: dict[tuple[str, str], dict[int, _Commit]] = defaultdict(dict)
    for change in changes:
        commits = levels[change.sku, change.location]
        commit = commits.get(change.tx)
        if change.promised is not None:
            commit = commit or commits.setdefault(change.tx, _Commit())
            commit.promised += change.promised
            continue
        if commit is None or commit.last is None:
            # In its place among the commits: that of its lock, not of its first line.
            commit = commits.pop(change.tx, _Commit())
            commits[change.tx] = commit
            commit.first = change
        commit.last = change
    broken, checked = list[str](), 0
    for (sku, _), commits in levels.items():
        checked += len(commits)
        broken += _faults(sku, commits)
    return Verdict("no unit is promised twice at any commit", checked, broken)


def never_falsely_sold_out(
    history: Iterable[Said], changes: Iterable[Change]
) -> Verdict:
    """Nobody is told that something is sold out while it surely was there.

    It surely was from the second of two changes that left enough (the first had been
    committed by then) until the change that took it.
    """
    free = _free(changes)
    broken, checked = list[str](), 0
    for said in history:
        if said.act != "hold" or said.problem != "out-of-stock":
            continue
        checked += 1
        since = said.began - _REMEMBERED_SECONDS
        if all(_covers(free[sku], since, said.ended) for sku, _ in said.lines):
            what = " and ".join(sku for sku, _ in said.lines)
            broken.append(f"{what} was said to be sold out at {said.ended:.1f}")
    return Verdict("busy is never called sold out", checked, broken)


def _free(changes: Iterable[Change]) -> dict[str, list[tuple[float, float]]]:
    """When a unit of each SKU surely was to be had, in order."""
    found = defaultdict[str, list[tuple[float, float]]](list)
    run = defaultdict[str, list[float]](list)
    for change in changes:
        if change.promised is not None:
            continue
        moments = run[change.sku]
        if change.reserved < change.on_hand:
            moments.append(change.at)
            continue
        if len(moments) > 1:
            found[change.sku].append((moments[1], change.at))
        moments.clear()
    for sku, moments in run.items():
        if len(moments) > 1:
            found[sku].append((moments[1], float("inf")))
    return found


def _covers(spans: Sequence[tuple[float, float]], since: float, until: float) -> bool:
    at = bisect_right(spans, (since, float("inf"))) - 1
    return at >= 0 and spans[at][1] >= until


def _faults(sku: str, commits: dict[int, _Commit]) -> Sequence[str]:
    broken, reserved = list[str](), 0
    for tx, commit in commits.items():
        first, last = commit.first, commit.last
        if first is None or last is None:
            if commit.promised:
                broken.append(
                    f"transaction {tx} promised {commit.promised:+} of {sku} and did "
                    "not count it"
                )
            continue
        if first.before != reserved:
            broken.append(
                f"transaction {tx} found {first.before} of {sku} promised where "
                f"{reserved} were"
            )
        if last.reserved - first.before != commit.promised:
            broken.append(
                f"transaction {tx} promised {commit.promised:+} of {sku} and counted "
                f"{last.reserved - first.before:+}"
            )
        reserved = last.reserved
        if not 0 <= reserved <= last.on_hand:
            broken.append(
                f"transaction {tx} left {reserved} of {sku} promised, of {last.on_hand}"
            )
    return broken
