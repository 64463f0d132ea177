"""The words of ``holdfast doctor`` and ``holdfast import levels``."""

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    *,
    fix: bool = typer.Option(False, "--fix", help="Repair what can be repaired"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Recompute all stock from its ledger, its reservations and the orders.

    And what was shipped and came back from shipments and returns. Prints what does not
    agree and exits 1 if anything is left of it. Repairs are lines of the ledger and of
    the order's record.
    """
    from holdfast.cli import doctor as command

    raise typer.Exit(command.run(fix=fix, as_json=as_json))


def import_levels(
    file: Annotated[Path, typer.Argument(help="sku,on_hand and if you like location")],
    *,
    reason: str = typer.Option("correction: file", help="What the ledger says"),
) -> None:
    """Set stock levels from a CSV file: all lines of it, or none."""
    from holdfast.cli import import_levels as command

    raise typer.Exit(command.run(file, reason=reason))
