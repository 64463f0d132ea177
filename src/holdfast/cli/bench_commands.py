"""What ``holdfast bench`` and ``holdfast bench protection`` take."""

from pathlib import Path

import typer

bench = typer.Typer()


@bench.callback(invoke_without_command=True)
def measure(
    context: typer.Context,
    *,
    seconds: float = typer.Option(8.0, min=0.5, max=120, help="Of each stage"),
    only: str = typer.Option("ABCDETL", help="The stages to run, such as AD"),
    workers: int = typer.Option(1, min=1, max=64, help="Processes of the API"),
    pgbench: bool = typer.Option(True, help="Measure the same SQL by itself too"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Measure what a fresh shop can do on this machine.

    A: product detail, B: page of 20, C: text search, D: whole checkout, E: flash
    sale, T: what an access token adds, L: product detail while a thousand people
    sign in. Exits 1 when a target is missed.
    """
    if context.invoked_subcommand is not None:
        return
    from holdfast.cli.bench import command

    command.run(command.Options(seconds, only.upper(), workers, pgbench, as_json))


@bench.command("protection")
def protection(
    *,
    seconds: float = typer.Option(8.0, min=0.5, max=120, help="Of each point"),
    only: str = typer.Option("", help="The measurements, such as goodput,shop"),
    poisson: bool = typer.Option(
        False, "--poisson", help="Requests at random moments, not at equal intervals"
    ),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Measure what is left of a server at ten times its capacity.

    With protection and without, in one run, by an open-loop load generator that
    measures from the moment each request was due. Exits 1 when a target is missed,
    2 when something could not be measured.
    """
    from holdfast.cli.bench.protection import command
    from holdfast.cli.bench.protection.measurements import chosen

    command.run(command.Options(chosen(only), seconds, poisson, as_json))


@bench.command("catalogue")
def catalogue(
    *,
    sizes: str = typer.Option("2000,20000", help="Variants of each shop"),
    descriptions: str = typer.Option(
        "", help="A folder of sales, CSV files with a column Description"
    ),
    seconds: float = typer.Option(8.0, min=0.5, max=120, help="Of each question"),
    only: str = typer.Option("", help="The stages, such as search,suggestions,import"),
    imported: int | None = typer.Option(
        None, min=1, max=2_000_000, help="Variants to import"
    ),
    plot: str = typer.Option("", help="Draw growth into this SVG file"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Measure what a catalogue costs as it grows.

    Each size is a fresh shop: a product by handle, a page, a search with facets,
    suggestions, a deep page, and an import with others reading. A million variants
    (--sizes 1000000) take long to fill in. Exits 1 when a target is missed, 2 when
    something could not be measured.
    """
    from holdfast.cli.bench.catalogue import command

    command.run(
        command.Options(
            sizes=command.sizes_in(sizes),
            descriptions=Path(descriptions) if descriptions else None,
            seconds=seconds,
            only=command.stages_in(only),
            imported=imported,
            plot=Path(plot) if plot else None,
            as_json=as_json,
        )
    )
