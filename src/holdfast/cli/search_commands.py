"""What ``holdfast search`` takes."""

import typer

search = typer.Typer(help="Look after the index of products.")


@search.callback()
def main() -> None:
    """Look after the index of products."""


@search.command("rebuild")
def rebuild() -> None:
    """Write the index of every product anew, while the shop is open."""
    from holdfast.cli import rebuild_search as command

    command.run()
