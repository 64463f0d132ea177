"""What a run has come to, for people, for programs and for the exit status."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import msgspec

from holdfast.cli.bench.catalogue import reads
from holdfast.cli.bench.catalogue.asking import Answers
from holdfast.cli.bench.catalogue.importing import Import
from holdfast.cli.bench.catalogue.plot import growth
from holdfast.cli.bench.catalogue.reads import Deep
from holdfast.cli.bench.report import machine

SMALL = 2_000
MIN_TOGETHER = 4_000.0
"""Single products a second, in a shop of ``SMALL`` variants."""
MAX_GROWTH = 1.5
"""Of a product by its handle, from the smallest shop to the largest."""
MAX_P95_MS: Mapping[str, float] = {reads.SEARCH: 60.0, reads.SUGGEST: 15.0}
MAX_DEEP = 1.25
"""A deep page by its first: the same, but for what a clock is worth."""
MIN_IMPORT = 3_000.0
MAX_IMPORT_MB = 300.0
MAX_READERS = 2.0
"""The p99 of reads during an import, by that before it."""


@dataclass(slots=True)
class Size:
    """What was measured at one size; what is not there was not measured."""

    variants: int
    products: int = 0
    filled_seconds: float = 0.0
    database_mb: float = 0.0
    answers: dict[str, Answers] = field(default_factory=dict)
    together: float | None = None
    """Single reads that a statement answered, of 64 at once."""
    deep: list[Deep] = field(default_factory=list)
    taken_in: Import | None = None
    void: str | None = None
    """Why the rest could not be measured."""

    @property
    def faults(self) -> list[str]:
        """Targets that were missed and promises that were broken."""
        found = [fault for a in self.answers.values() for fault in a.faults]
        found += [
            f"{a.title}: the p95 is {a.p95_ms:.1f} ms, and {most:g} are allowed."
            for name, most in MAX_P95_MS.items()
            if (a := self.answers.get(name)) is not None and a.p95_ms > most
        ]
        many = self.answers.get(reads.TOGETHER)
        if self.variants == SMALL and many is not None and many.rate < MIN_TOGETHER:
            found.append(
                f"{many.title}: {many.rate:,.0f}/s, and {MIN_TOGETHER:,.0f} are wanted."
            )
        found += [
            f"A page after {d.depth:,} products of {d.name} takes {d.ratio:g} times as "
            f"long as the first, and {MAX_DEEP:g} are allowed."
            for d in self.deep
            if d.ratio > MAX_DEEP
        ]
        found += [f for d in self.deep for a in (d.first, d.deep) for f in a.faults]
        return [*found, *self._import_faults()]

    def _import_faults(self) -> list[str]:
        if (job := self.taken_in) is None:
            return []
        found = list(job.faults)
        if job.rate < MIN_IMPORT:
            found.append(
                f"Import: {job.rate:,.0f} variants/s, and {MIN_IMPORT:,.0f} are wanted."
            )
        found += [
            f"Import: a process ({part}) held {held:g} MB, and {MAX_IMPORT_MB:g} are "
            "allowed."
            for part, held in job.peak_mb.items()
            if held > MAX_IMPORT_MB
        ]
        if job.ratio > MAX_READERS:
            found.append(
                f"Import: the p99 of reads is {job.ratio:g} times as long meanwhile, "
                f"and {MAX_READERS:g} are allowed."
            )
        return found

    @property
    def voids(self) -> list[str]:
        """What could not be measured."""
        found = [] if self.void is None else [self.void]
        found += [void for a in self.answers.values() for void in a.voids]
        found += [v for d in self.deep for a in (d.first, d.deep) for v in a.voids]
        return found + ([] if self.taken_in is None else self.taken_in.voids)

    @property
    def figures(self) -> dict[str, object]:
        """For programs."""
        deep = [{**asdict(d), "ratio": d.ratio} for d in self.deep]
        job = self.taken_in
        told = None
        if job is not None:
            quiet, during = job.p99_ms
            told = {
                "variants": job.variants,
                "products": job.products,
                "megabytes": round(job.megabytes, 1),
                "seconds": round(job.seconds, 2),
                "variants_a_second": round(job.rate, 1),
                "peak_mb": job.peak_mb,
                "reads_p99_ms": {"before": quiet, "during": during},
                "reads_ratio": job.ratio,
            }
        return {
            "variants": self.variants,
            "products": self.products,
            "filled_seconds": round(self.filled_seconds, 1),
            "database_mb": self.database_mb,
            "answers": {name: asdict(a) for name, a in self.answers.items()},
            "reads_a_statement": self.together,
            "deep_pages": deep,
            "import": told,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A run over all sizes."""

    sizes: Sequence[Size]
    names: str
    """Where the names of products are from."""
    seconds: float
    pinned: bool

    @property
    def growth(self) -> float | None:
        """Of the time of a product by its handle, from the smallest to the largest."""
        times = [
            size.answers[reads.HANDLE].p50_ms
            for size in sorted(self.sizes, key=lambda size: size.variants)
            if reads.HANDLE in size.answers
        ]
        if len(times) < 2:  # noqa: PLR2004 - two make a comparison
            return None
        return round(times[-1] / max(times[0], 1e-9), 2)

    @property
    def faults(self) -> list[str]:
        found = [f"{s.variants:,}: {fault}" for s in self.sizes for fault in s.faults]
        if self.growth is not None and self.growth > MAX_GROWTH:
            found.append(
                f"A product by its handle takes {self.growth:g} times as long in the "
                f"largest shop, and {MAX_GROWTH:g} are allowed."
            )
        return found

    @property
    def voids(self) -> list[str]:
        return [f"{s.variants:,}: {void}" for s in self.sizes for void in s.voids]

    @property
    def status(self) -> int:
        """Of the command: a broken promise is worse than one not looked at."""
        if self.faults:
            return 1
        return 2 if self.voids else 0

    def json(self) -> str:
        """For programs."""
        plain = {
            "passed": self.status == 0,
            "faults": self.faults,
            "voids": self.voids,
            "sizes": [size.figures for size in self.sizes],
            "growth_of_handle": self.growth,
            "names": self.names,
            "machine": machine(),
            "python": platform.python_version(),
            "pinned": self.pinned,
            "seconds": round(self.seconds, 1),
        }
        return msgspec.json.format(msgspec.json.encode(plain)).decode()

    def plot(self) -> str | None:
        """Growth as a picture; None if nothing was measured at all sizes."""
        sizes = sorted(self.sizes, key=lambda size: size.variants)
        curves = {
            f"{sizes[0].answers[name].title} (p95)": [
                s.answers[name].p95_ms for s in sizes
            ]
            for name in (reads.HANDLE, reads.PAGE, reads.SEARCH, reads.SUGGEST)
            if all(name in size.answers and size.answers[name].done for size in sizes)
        }
        if not curves:
            return None
        return growth(
            "Reads of a catalogue as it grows",
            [size.variants for size in sizes],
            curves,
        )
