"""How a replay shows itself: a bar while it runs, a table or JSON at its end."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec
import rich.progress
from rich.console import Console
from rich.table import Table

from holdfast.cli.replay.cancellations import Why
from holdfast.cli.replay.comparison import Finding
from holdfast.cli.replay.placing import Tick
from holdfast.cli.replay.sales import CURRENCY, Sales
from holdfast.kernel.money import Money

_NAMED = 5


class Progress:
    """A bar for each stage, on standard error and only on a terminal."""

    def __init__(self, *, shown: bool) -> None:
        console = Console(stderr=True)
        self._bars = rich.progress.Progress(
            rich.progress.TextColumn("{task.description:<10}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeElapsedColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )

    def stage(self, name: str, total: int) -> Tick:
        """Begin a stage; call the result for each thing that is done."""
        task = self._bars.add_task(name, total=total)
        return lambda: self._bars.advance(task)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()


@dataclass
class Report:
    """The outcome of a replay."""

    sales: Sales
    findings: Sequence[Finding]
    refused: Mapping[str, str]
    placed_before: int
    """Invoices that an earlier replay had ordered."""
    seconds: float = 0.0

    @property
    def same(self) -> bool:
        return not self.refused and all(finding.same for finding in self.findings)

    def show(self, *, as_json: bool) -> None:
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(self._plain())).decode())
            return
        self._show_table()

    def _show_table(self) -> None:
        invoices = len(self.sales.invoices)
        if self.placed_before == invoices:
            print("An earlier replay had ordered everything: compared again.")
        elif self.placed_before:
            print(
                f"Went on with an earlier replay that had ordered "
                f"{self.placed_before:,} of {invoices:,} invoices."
            )
        table = Table("", "in the files", "in the shop", "", title="Replay of sales")
        for column in table.columns[1:3]:
            column.justify = "right"
        for finding in self.findings:
            verdict = "[green]same[/]" if finding.same else "[red]DIFFERENT[/]"
            table.add_row(finding.what, finding.expected, finding.found, verdict)
        Console().print(table)
        for line in (*self._canceled(), *self._differences()):
            print(line)
        ended = "Everything agrees" if self.same else "The shop and the files differ"
        print(f"{ended} ({self.seconds:.1f} s).", file=sys.stdout)

    def _canceled(self) -> list[str]:
        """What became of the cancellations, and which have no sale in the files."""
        found = self.sales.canceled
        if not found.lines:
            return []
        summary = (
            f"Of {found.cancellations:,} cancellations with {found.lines:,} lines, "
            f"{found.matched_units:,} units went back to "
            f"{len(self.sales.refunds):,} orders, at the price that was paid "
            f"({found.other_price_units:,} of them were canceled at another)."
        )
        lines = [summary]
        for why in Why:
            those = [n for n in found.unmatched if n.why is why]
            if not those:
                continue
            named = ", ".join(f"{n.line.number} {n.line.code}" for n in those[:_NAMED])
            more = f" and {len(those) - _NAMED:,} more" if len(those) > _NAMED else ""
            worth = Money(sum(n.worth.amount for n in those), CURRENCY)
            units = sum(n.quantity for n in those)
            lines.append(
                f"Not returned, as {why}: {len(those):,} lines, {units:,} units, "
                f"{worth}: {named}{more}."
            )
        return lines

    def _differences(self) -> list[str]:
        lines = [
            f"{finding.what}: {difference}"
            for finding in self.findings
            for difference in finding.differences or _bare(finding)
        ]
        for number, why in list(self.refused.items())[:_NAMED]:
            lines.append(f"invoice {number} was refused: {why}")
        if len(self.refused) > _NAMED:
            lines.append(f"and {len(self.refused) - _NAMED} more were refused")
        return lines

    def _plain(self) -> dict[str, object]:
        return {
            "same": self.same,
            "files": {
                "invoices": len(self.sales.invoices),
                "articles": len(self.sales.articles),
                "units": self.sales.units,
                "revenue": self.sales.revenue,
            },
            "canceled": self._canceled_plain(),
            "placed_before": self.placed_before,
            "findings": [
                {
                    "what": finding.what,
                    "expected": finding.expected,
                    "found": finding.found,
                    "same": finding.same,
                    "differences": finding.differences,
                }
                for finding in self.findings
            ],
            "refused": self.refused,
            "seconds": round(self.seconds, 2),
        }

    def _canceled_plain(self) -> dict[str, object]:
        found = self.sales.canceled
        return {
            "cancellations": found.cancellations,
            "lines": found.lines,
            "returns": len(found.comebacks),
            "orders_shipped": len(self.sales.refunds),
            "units": found.matched_units,
            "units_at_another_price": found.other_price_units,
            "refunded": self.sales.refunded,
            "unmatched": [
                {
                    "cancellation": n.line.number,
                    "customer": n.line.customer,
                    "code": n.line.code,
                    "quantity": n.quantity,
                    "price": n.line.price,
                    "why": n.why,
                }
                for n in found.unmatched
            ],
        }


def _bare(finding: Finding) -> tuple[str, ...]:
    """The two numbers, where they differ and no name tells why."""
    if finding.same:
        return ()
    return (f"{finding.found} where the files have {finding.expected}",)
