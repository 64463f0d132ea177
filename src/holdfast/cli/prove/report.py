"""What was found out, for people and for programs."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from holdfast.cli.prove.blows import Struck
from holdfast.cli.prove.history import LOST, Said
from holdfast.cli.prove.size import Size
from holdfast.cli.prove.verdict import Verdict

TITLES = {
    "oversell": "Every unit is sold once",
    "charges": "Every order is charged once",
    "books": "The books balance",
}
_SHOWN = 5


@dataclass
class Part:
    """One part of the proof."""

    name: str
    verdicts: list[Verdict]
    history: list[Said] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    scenes: list[str] = field(default_factory=list)
    """What the payment provider was told to do, beside its payment methods."""
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        return all(verdict.kept for verdict in self.verdicts)

    @property
    def attempts(self) -> int:
        return sum(said.attempt for said in self.history)

    @property
    def outcomes(self) -> dict[str, int]:
        """How often clients were told what."""
        return dict(Counter(outcome(said) for said in self.history).most_common())

    @property
    def blows(self) -> dict[str, int]:
        return dict(Counter(blow.what for blow in self.struck))


@dataclass
class Report:
    """All of it."""

    parts: list[Part]
    size: Size
    seed: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of all processes together: on a busy machine it takes longer than these."""

    @property
    def kept(self) -> bool:
        return all(part.kept for part in self.parts)

    @property
    def late(self) -> str:
        """That it took longer than it is to; empty if it did not."""
        if self.seconds <= self.size.bound_seconds:
            return ""
        return (
            f"It took {self.seconds:.0f} s: longer than the "
            f"{self.size.bound_seconds:.0f} s of two cores that do nothing else."
        )

    def text(self) -> str:
        """For a terminal."""
        lines = []
        for part in self.parts:
            lines += [f"{TITLES[part.name]} ({part.seconds:.0f} s)", *_told(part)]
            lines += [line for n in part.verdicts for line in _verdict(n)] + [""]
        count = sum(len(part.verdicts) for part in self.parts)
        broken = sum(not n.kept for part in self.parts for n in part.verdicts)
        said = f"{broken} of {count} promises BROKEN" if broken else "all promises kept"
        took = f"{self.seconds:.0f} s ({self.cpu_seconds:.0f} s of CPU)"
        lines.append(f"{said}; {took}, seed {self.seed}")
        if self.late:
            lines.append(self.late)
        return "\n".join(lines)

    def json(self) -> str:
        """For programs."""
        return json.dumps(
            {
                "kept": self.kept,
                "seconds": round(self.seconds, 1),
                "cpu_seconds": round(self.cpu_seconds, 1),
                "bound_seconds": self.size.bound_seconds,
                "in_time": not self.late,
                "seed": self.seed,
                "size": msgspec.to_builtins(self.size),
                "parts": [_as_json(part) for part in self.parts],
            }
        )


def outcome(said: Said) -> str:
    """What one client was told, in a few words."""
    if said.status == LOST:
        return "no answer"
    if said.problem:
        return said.problem.replace("-", " ")
    if said.act == "checkout":
        return f"order {said.state}"
    if said.act.startswith("bank"):
        return said.act
    return {"cart": "cart made", "hold": "hold granted", "release": "hold released"}[
        said.act
    ]


def percentile(ordered: list[float], share: float) -> float:
    """Of sorted values; 0 if there are none."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _told(part: Part) -> list[str]:
    if not part.history:
        return []
    hit = ", ".join(f"{n} x {what}" for what, n in sorted(part.blows.items()))
    told = ", ".join(f"{n:,} {what}" for what, n in part.outcomes.items())
    return [
        f"  {part.attempts:,} attempts, {len(part.history):,} requests; killed: {hit}",
        f"  clients were told: {told}",
        *([f"  the payment provider: {'; '.join(part.scenes)}"] if part.scenes else []),
    ]


def _verdict(verdict: Verdict) -> list[str]:
    mark = "kept  " if verdict.kept else "BROKEN"
    lines = [f"  {mark}  {verdict.promise} ({verdict.checked:,})"]
    lines += [f"          {what}" for what in verdict.broken[:_SHOWN]]
    if len(verdict.broken) > _SHOWN:
        lines.append(f"          and {len(verdict.broken) - _SHOWN} more")
    return lines


def _as_json(part: Part) -> dict[str, Any]:
    times = sorted(n.ended - n.began for n in part.history if n.status != LOST)
    return {
        "name": part.name,
        "kept": part.kept,
        "seconds": round(part.seconds, 1),
        "attempts": part.attempts,
        "requests": len(part.history),
        "outcomes": part.outcomes,
        "p50_ms": round(percentile(times, 0.5) * 1000, 1),
        "p99_ms": round(percentile(times, 0.99) * 1000, 1),
        "blows": msgspec.to_builtins(part.struck),
        "scenes": part.scenes,
        "promises": [msgspec.to_builtins(verdict) for verdict in part.verdicts],
    }
