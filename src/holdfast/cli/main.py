"""The ``holdfast`` command: one subcommand a file, registered here.

A command's module is imported when the command runs, so that ``holdfast --help``
does not load the web framework and every process starts with what it needs.
"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="holdfast",
    help="A headless commerce API that holds under fire.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """A headless commerce API that holds under fire."""


@app.command("simulate")
def simulate(
    what: str = typer.Argument(help="payment or carrier"),
    host: str = typer.Option("127.0.0.1"),
    port: int = typer.Option(0, help="0 picks a free port"),
    state: Annotated[
        Path | None, typer.Option(help="File or folder that outlives the process")
    ] = None,
) -> None:
    """Run a simulated payment provider or carrier until stopped."""
    from holdfast.simulators import main as simulators

    simulators.run(what, host=host, port=port, state=state)


def run() -> None:
    """Entry point of the installed script."""
    app()
