"""The options of ``holdfast users``; what they do is in ``users``."""

from pathlib import Path
from typing import Annotated

import typer

users = typer.Typer(help="Accounts of people.")

_Who = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="E-mail address or id of the account")
]
_FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the input")
]
_Generate = Annotated[
    bool, typer.Option("--generate", help="Make a password up and show it, this once")
]
_AsJson = Annotated[bool, typer.Option("--json", help="For programs")]


@users.command("create")
def create_user(
    email: Annotated[str, typer.Argument(help="Their e-mail address")],
    *,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="Such as admin; may be given several times"),
    ] = None,
    password_stdin: _FromStdin = False,
    generate: _Generate = False,
) -> None:
    """Open an account. Without a password, a link to choose one is sent by e-mail."""
    from holdfast.cli import users as command

    _one_of(password_stdin, generate)
    command.create(email, role or [], stdin=password_stdin, generate=generate)


@users.command("list")
def list_users(
    *,
    status: Annotated[
        str | None, typer.Option(help="Only active, disabled or erased ones")
    ] = None,
    limit: int = typer.Option(100, min=1, max=10_000, help="How many, newest first"),
    as_json: _AsJson = False,
) -> None:
    """List the accounts."""
    from holdfast.cli import users as command

    command.show_all(status, limit=limit, as_json=as_json)


@users.command("show")
def show_user(who: _Who, *, as_json: _AsJson = False) -> None:
    """Show an account and its roles."""
    from holdfast.cli import users as command

    command.show(who, as_json=as_json)


@users.command("disable")
def disable_user(who: _Who) -> None:
    """Let nobody sign in to an account, and end its sessions."""
    from holdfast.cli import users as command

    command.set_status(who, "disabled")


@users.command("enable")
def enable_user(who: _Who) -> None:
    """Let the owner of an account sign in again."""
    from holdfast.cli import users as command

    command.set_status(who, "active")


@users.command("set-email")
def set_email(
    who: _Who, email: Annotated[str, typer.Argument(help="Their e-mail address")]
) -> None:
    """Correct an address. A link to confirm it is sent there; all sessions end."""
    from holdfast.cli import users as command

    command.set_email(who, email)


@users.command("reset-password")
def reset_password(
    who: _Who, *, password_stdin: _FromStdin = False, generate: _Generate = False
) -> None:
    """Send a link to choose another password, or set one at once."""
    from holdfast.cli import users as command

    _one_of(password_stdin, generate)
    command.reset_password(who, stdin=password_stdin, generate=generate)


@users.command("remove-second-factor")
def remove_second_factor(who: _Who) -> None:
    """Ask for no code any more, for a lost device. First be sure who wants it."""
    from holdfast.cli import users as command

    command.remove_second_factor(who)


@users.command("first", hidden=True)
def first_operator(
    keep: Annotated[Path, typer.Argument(help="File of the password")],
) -> None:
    """See to it that a new shop has somebody to sign in as."""
    from holdfast.cli import users as command

    command.first(keep)


def _one_of(password_stdin: bool, generate: bool) -> None:
    if password_stdin and generate:
        raise typer.BadParameter("Use --password-stdin or --generate, not both.")
