"""Which of several languages somebody would rather read, by what their browser says.

``Accept-Language: de-AT, fr;q=0.5`` (RFC 9110 12.5.4) is looked up as RFC 4647 3.4 has
it: ``de-AT`` finds German where there is none of Austria, ``de`` never finds what is
Austrian alone. What the shop is written in is always there, so nothing that is wanted
less than that matters, and nobody is ever refused. What a header says that is no range
of languages is as if it were not there; so is what comes after its first 1,000
characters or its 20th range.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, takewhile

from holdfast.kernel.languages import broader, canonical

MAX_CHARS = 1_000
MAX_RANGES = 20
_RANGE = re.compile(
    r"[ \t]*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[Qq]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*"
)


@dataclass(frozen=True, slots=True)
class Preference:
    """The languages that somebody would rather read than the shop's own."""

    own: str
    """What the shop is written in."""
    chains: tuple[tuple[str, ...], ...] = ()
    """The best first; each with what it is a kind of, as far as that will do."""
    tags: tuple[str, ...] = field(init=False, compare=False)
    """All of them; empty where the shop's own is as good as any."""

    def __post_init__(self) -> None:
        every = dict.fromkeys(tag for chain in self.chains for tag in chain)
        object.__setattr__(self, "tags", tuple(every))

    def choose(self, there: Container[str]) -> tuple[str, ...]:
        """Which of the languages that are *there* are shown; empty for the shop's own.

        The first is what was asked for; the others say what it leaves out.
        """
        for chain in self.chains:
            if found := tuple(tag for tag in chain if tag in there):
                return found
        return ()


def preferred(accept_language: str, own: str) -> Preference:
    """What a header asks for of a shop that is written in *own*."""
    if len(accept_language) > MAX_CHARS:
        # Not half a range: "de-A" would be another language than "de-AT".
        accept_language = accept_language[:MAX_CHARS].rpartition(",")[0]
    return _preferred(accept_language, own)


# A browser says the same with every request, and it takes 50 us to read.
@lru_cache(maxsize=512)
def _preferred(accept_language: str, own: str) -> Preference:
    weights: dict[str, int] = {}
    for tag, weight in islice(_ranges(accept_language), MAX_RANGES):
        weights[tag] = max(weight, weights.get(tag, 0))
    ours = {tag for tag in broader(own) if weights.get(tag) != 0}
    chains = []
    for tag in sorted(weights, key=lambda tag: -weights[tag]):
        if tag == "*" or weights[tag] == 0:
            break
        wider = [each for each in broader(tag) if weights.get(each) != 0]
        chain = tuple(takewhile(lambda each: each not in ours, wider))
        if chain:
            chains.append(chain)
        if len(chain) < len(wider):
            # From here on the shop's own will do.
            break
    return Preference(own, tuple(chains))


def _ranges(accept_language: str) -> Iterator[tuple[str, int]]:
    """Each range with its weight in thousandths, in the order they are said."""
    for said in accept_language.split(","):
        match = _RANGE.fullmatch(said)
        if match is None:
            continue
        # Who asks for the German of a country that is none is glad of German.
        known = filter(None, map(canonical, broader(match[1])))
        tag = "*" if match[1] == "*" else next(known, None)
        if tag is not None:
            yield tag, round(float(match[2] or 1) * 1000)
