"""What is said to the store and what it answers: one script, one round trip.

The store does the little that has to be atomic (``token_bucket.lua``); everything
a verdict tells is computed here from the one answer, by the code that also serves
the buckets in memory.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib import resources
from typing import TypeAlias

from holdfast.resilience.rate.quota import Quota, StoreUnavailable, Verdict, judge

Word: TypeAlias = str | bytes | int
Command: TypeAlias = tuple[Word, ...]
"""What is sent to the store, word by word."""

SOURCE = (resources.files(__package__) / "token_bucket.lua").read_text("utf-8")
SHA = hashlib.sha1(SOURCE.encode(), usedforsecurity=False).hexdigest()

# Seen as they are in the store; anything else (an address of mail, say) is hashed,
# so that no key is longer, tells about a person or contains a brace.
_PLAIN = re.compile(r"[A-Za-z0-9:._/-]{1,80}")


def tag_of(subject: str) -> str:
    """The part of the keys that decides in which slot of a cluster they are."""
    if _PLAIN.fullmatch(subject):
        return subject
    digest = hashlib.blake2b(subject.encode(), digest_size=20, usedforsecurity=False)
    # No plain subject begins like this.
    return f"#{digest.hexdigest()}"


def keys_of(subject: str, quotas: Sequence[Quota]) -> list[str]:
    tag = tag_of(subject)
    return [f"rl:{{{tag}}}:{quota.name}" for quota in quotas]


def words(subject: str, quotas: Sequence[Quota], cost: int, most: int) -> Command:
    """Everything that follows the script: number of keys, keys, arguments."""
    numbers: list[int] = [cost, most]
    for quota in quotas:
        numbers += (quota.interval, quota.tolerance)
    return (len(quotas), *keys_of(subject, quotas), *numbers)


def by_hash(arguments: Command) -> Command:
    return ("EVALSHA", SHA, *arguments)


def by_source(arguments: Command) -> Command:
    return ("EVAL", SOURCE, *arguments)


def verdict_of(reply: object, quotas: Sequence[Quota], cost: int) -> Verdict:
    """Read the script's answer."""
    if not isinstance(reply, list) or len(reply) != len(quotas) + 2:
        raise StoreUnavailable("the store gave an answer that is none")
    granted, now, *starts = reply
    taken = granted if granted >= 0 else None
    return judge(quotas, starts, now, cost, taken, source="store")
