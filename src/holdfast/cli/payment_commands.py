"""What ``holdfast reconcile`` takes."""

from typing import Annotated

import typer


def reconcile(
    since: Annotated[
        str, typer.Option(help="From when on: 2d, 12h, or a date such as 2026-11-01")
    ] = "30d",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """Compare charges and refunds with the payment provider's.

    Repairs what is certain and lists what is not. Exits 1 when a difference is left, 2
    when the provider did not answer.
    """
    from holdfast.cli import reconcile as command

    command.run(since, as_json=as_json)
