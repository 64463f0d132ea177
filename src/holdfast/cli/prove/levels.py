"""Every commit of the stock, replayed: was a unit promised twice at any of them?

Each transaction must leave a level as it found it plus what it promised and less what
it freed, and never promise more than there is. Pure: it is given the changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.cli.prove.verdict import Verdict


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
