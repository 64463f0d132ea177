"""The options of ``holdfast circuits``; what they do is in ``circuits``."""

from typing import Annotated

import typer

circuits = typer.Typer(help="Calls to others: see and force what stands around them.")

_Dependency = Annotated[str, typer.Argument(metavar="NAME", help="From the list")]


@circuits.command("list")
def list_circuits() -> None:
    """List the circuits, and what operators have said of them."""
    from holdfast.cli import circuits as command

    command.show()


@circuits.command("force")
def force_circuit(
    dependency: _Dependency,
    mode: Annotated[str, typer.Argument(help="forced_open, disabled or metrics_only")],
    *,
    lasts: Annotated[
        str | None, typer.Option("--for", help="30s, 10m, 2h or 1d; else for good")
    ] = None,
) -> None:
    """Put a circuit where you want it, in every process."""
    from holdfast.cli import circuits as command

    command.force(dependency, mode, lasts)


@circuits.command("release")
def release_circuit(dependency: _Dependency) -> None:
    """Leave a circuit to itself again."""
    from holdfast.cli import circuits as command

    command.release(dependency)
