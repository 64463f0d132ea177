"""The outcome of a benchmark, for people and for programs."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import psutil
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from holdfast.cli.bench.holds import HotSkus
from holdfast.cli.bench.logins import LoginFlood
from holdfast.cli.bench.stages import Result
from holdfast.cli.bench.tokens import TokenCost

MAX_STATEMENTS = 12
MAX_API_MB = 150
MAX_TOKEN_US = 40
MAX_FLOOD_RATIO = 2.0
MAX_TURNED_AWAY = 0.01
"""Of those who only look, while others sign in."""


@dataclass
class Report:
    """Everything that was measured in one run."""

    results: Sequence[Result]
    statements: Mapping[str, float]
    api_memory_mb: Sequence[float]
    workers: int
    postgres: str
    seconds: float
    token: TokenCost | None = None
    flood: LoginFlood | None = None
    hot_skus: HotSkus | None = None

    @property
    def statements_an_order(self) -> float:
        return round(sum(self.statements.values()), 2)

    @property
    def faults(self) -> list[str]:
        """Targets that were missed and promises that were broken."""
        found = []
        for result in self.results:
            if result.target is not None and result.rate < result.target:
                found.append(
                    f"{result.name}: {result.rate:,.0f} {result.unit}/s, and "
                    f"{result.target:,.0f} are wanted."
                )
            found += [f"{result.name}: {check}" for check in result.checks]
            found += [f"{result.name}: {n} x {e}" for e, n in result.errors.items()]
        if self.statements and self.statements_an_order > MAX_STATEMENTS:
            found.append(f"An order takes {self.statements_an_order} statements.")
        if self.token is not None and self.token.added_us > MAX_TOKEN_US:
            found.append(f"An access token adds {self.token.added_us:.1f} us.")
        if self.flood is not None:
            if self.flood.ratio > MAX_FLOOD_RATIO:
                found.append(f"Sign-ins slow looks down {self.flood.ratio:g} times.")
            found += [f"L: {n} x {e}" for e, n in self.flood.errors.items()]
            looks = 2 * self.flood.rate * self.flood.seconds
            if self.flood.turned_away > MAX_TURNED_AWAY * looks:
                found.append(f"{self.flood.turned_away:,} looks were turned away.")
        if self.hot_skus is not None:
            found += self.hot_skus.faults
        found += [
            f"A process of the API holds {memory} MB."
            for memory in self.api_memory_mb
            if memory > MAX_API_MB
        ]
        return found

    def show(self, *, as_json: bool) -> None:
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(self._plain())).decode())
            return
        console = Console(width=124, highlight=False)
        if self.results:
            console.print(self._table())
        for line in self._lines():
            console.print(line)

    def _table(self) -> Table:
        table = Table(
            "",
            "",
            "users",
            "a second",
            "p50 ms",
            "p99 ms",
            "pgbench",
            "ratio",
            box=SIMPLE,
        )
        for part in ("API", "SQL", "user", "rest"):
            table.add_column(f"{part} us")
        table.add_column("bad")
        for column in table.columns:
            column.no_wrap = True
        for column in table.columns[2:]:
            column.justify = "right"
        for result in self.results:
            cpu = {**result.cpu_us}
            shown = [cpu.pop(part, 0.0) for part in ("api", "postgres", "client")]
            ratio = result.rate / result.pgbench if result.pgbench else None
            table.add_row(
                result.name,
                result.title,
                str(result.users),
                f"{result.rate:,.0f}",
                f"{result.p50_ms:,.1f}",
                f"{result.p99_ms:,.1f}",
                f"{result.pgbench:,.0f}" if result.pgbench else "",
                f"{ratio:.2f}" if ratio else "",
                *(f"{used:,.0f}" for used in (*shown, sum(cpu.values()))),
                str(sum(result.errors.values())),
            )
        return table

    def _lines(self) -> list[str]:
        lines = []
        for result in self.results:
            if set(result.outcomes) - {"sold"}:
                told = ", ".join(f"{n:,} {what}" for what, n in result.outcomes.items())
                lines.append(f"{result.name}: {told} in {result.seconds:.1f} s")
            if result.turned_away:
                lines.append(f"{result.name}: {result.turned_away:,} told to come back")
        if self.statements:
            lines.append(f"SQL statements an order: {self.statements_an_order:g}")
        if self.token is not None:
            lines.append(
                f"T: an access token adds {self.token.added_us:.1f} us of CPU to a "
                f"request of {self.token.without_us:.1f}; the first time "
                f"{self.token.first_us - self.token.without_us:.0f}"
            )
        if self.hot_skus is not None:
            lines += self.hot_skus.lines
        if self.flood is not None:
            lines.append(_flood_line(self.flood))
        lines += [
            f"memory of the API: {' + '.join(map(str, self.api_memory_mb))} MB",
            "us: CPU for each request or order; rest: worker, simulators, Valkey",
            self._setting(),
            *(self.faults or ["Every target is met."]),
            f"({self.seconds:.0f} s)",
        ]
        return lines

    def _setting(self) -> str:
        processes = "process" if self.workers == 1 else "processes"
        return (
            f"{self.workers} API {processes}, {machine()}, Python "
            f"{platform.python_version()}, PostgreSQL {self.postgres}"
        )

    def _plain(self) -> dict[str, object]:
        return {
            "passed": not self.faults,
            "faults": self.faults,
            "results": [
                {
                    **asdict(result),
                    "of_pgbench": result.rate / result.pgbench
                    if result.pgbench
                    else None,
                }
                for result in self.results
            ],
            "statements_an_order": self.statements_an_order,
            "statements": self.statements,
            "access_token": {**asdict(self.token), "added_us": self.token.added_us}
            if self.token is not None
            else None,
            "login_flood": {**asdict(self.flood), "ratio": self.flood.ratio}
            if self.flood is not None
            else None,
            "hot_skus": {
                **asdict(self.hot_skus),
                "of_spread": self.hot_skus.of_spread,
                "of_alone": self.hot_skus.of_alone,
                "of_others": self.hot_skus.of_others,
            }
            if self.hot_skus is not None
            else None,
            "api_memory_mb": self.api_memory_mb,
            "workers": self.workers,
            "machine": machine(),
            "python": platform.python_version(),
            "postgres": self.postgres,
            "seconds": round(self.seconds, 1),
        }


def _flood_line(flood: LoginFlood) -> str:
    answers = ", ".join(f"{n:,} x {status}" for status, n in flood.logins.items())
    rounds = ", ".join(f"{ratio:g}" for ratio in flood.ratios)
    return (
        f"L: p99 of a product at {flood.rate:,.0f}/s is {flood.quiet_p99_ms:.1f} ms, "
        f"with {flood.crowd:,} signing in {flood.flood_p99_ms:.1f} ms: "
        f"{flood.ratio:g} times (by round: {rounds}; "
        f"sign-ins: {answers} in {flood.seconds:g} s; memory "
        f"after that: {' + '.join(map(str, flood.api_memory_mb))} MB)"
    )


def machine() -> str:
    """Cores, processor and kernel."""
    cores = psutil.cpu_count()
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [n for n in info.read_text().splitlines() if n.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else ""
    return f"{cores} cores {model}, {platform.system()} {platform.release()}"
