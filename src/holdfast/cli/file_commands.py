"""``holdfast import`` and ``holdfast export``: files of products and levels."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import stock_commands

imports = typer.Typer(help="Products from files of other shops.")


@imports.command("shopify")
def import_shopify(
    files: Annotated[list[Path], typer.Argument(help="Product exports, CSV")],
    *,
    currency: Annotated[
        str | None, typer.Option(help="Of the prices; by default that of the shop")
    ] = None,
    stock: bool = typer.Option(
        False, "--stock", help="Set the stock of known variants too"
    ),
) -> None:
    """Import Shopify's product CSV; a second import changes nothing."""
    from holdfast.cli import import_ as command

    code = command.run(
        files, file_format="shopify_csv", currency=currency, overwrite_stock=stock
    )
    raise typer.Exit(code)


@imports.command("jsonl")
def import_jsonl(
    files: Annotated[list[Path], typer.Argument(help="One product a line")],
    *,
    stock: bool = typer.Option(
        False, "--stock", help="Set the stock of known variants too"
    ),
) -> None:
    """Import JSON Lines, as `holdfast export` writes them."""
    from holdfast.cli import import_ as command

    code = command.run(files, file_format="jsonl", overwrite_stock=stock)
    raise typer.Exit(code)


imports.command("levels")(stock_commands.import_levels)


def export(
    to: Annotated[Path, typer.Argument(help="A new file; - is standard output")],
    *,
    shopify: bool = typer.Option(
        False, "--shopify", help="Shopify's CSV instead of JSON Lines"
    ),
) -> None:
    """Write every product, with its stock, to a file."""
    from holdfast.cli import export as command

    raise typer.Exit(command.run(to, "shopify_csv" if shopify else "jsonl"))
