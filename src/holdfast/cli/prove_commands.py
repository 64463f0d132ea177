"""What ``holdfast prove`` takes."""

from pathlib import Path
from typing import Annotated

import typer


def prove(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small counts, for a first look")
    ] = False,
    only: Annotated[
        str, typer.Option(help="The parts to prove, such as oversell,books")
    ] = "oversell,charges,books",
    seed: Annotated[int, typer.Option(min=0, help="Of everything left to chance")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with plots too")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep histories, logs and the report there"),
    ] = None,
    sabotage: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Kill a fresh shop while it sells, and see whether it keeps its promises.

    oversell: every unit is sold once. charges: every order is charged once. books:
    stock, orders and money agree. Exits 1 when a promise was broken, 2 when it could
    not be found out.
    """
    from holdfast.cli.prove import command

    command.run(
        command.Options(
            quick=quick,
            seed=seed,
            only=command.parts(only),
            as_json=as_json,
            html=html,
            keep=keep,
            sabotage=command.sabotage_of(sabotage),
        )
    )
