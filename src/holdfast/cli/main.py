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


@app.command("up")
def up(
    *,
    fresh: bool = typer.Option(False, "--fresh", help="Delete the shop, start over"),
    port: int = typer.Option(8000, min=0, max=65535, help="Of the API; 0: any"),
    workers: int = typer.Option(1, min=1, max=64, help="Processes of the API"),
    seed: bool = typer.Option(True, help="Fill an empty shop with a demo catalogue"),
    reload: bool = typer.Option(False, "--reload", help="Restart on a change of code"),
) -> None:
    """Run a whole shop on this machine until stopped."""
    from holdfast.cli import up as command

    command.run(command.Options(fresh, port, workers, seed, reload))


@app.command("dev")
def dev(
    *,
    fresh: bool = typer.Option(False, "--fresh", help="Delete the shop, start over"),
    port: int = typer.Option(8000, min=0, max=65535, help="Of the API; 0: any"),
) -> None:
    """Run the shop, show its logs and restart it when its code changes."""
    from holdfast.cli import up as command

    command.run(command.Options(fresh=fresh, port=port, reload=True))


def run() -> None:
    """Entry point of the installed script."""
    app()
