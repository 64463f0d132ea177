"""The options of ``holdfast roles``; what they do is in ``roles``."""

from typing import Annotated

import typer

roles = typer.Typer(help="Roles: what people may do.")

_Name = Annotated[str, typer.Argument(metavar="ROLE", help="Such as support")]
_Who = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="E-mail address or id of the account")
]
_Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help="May be given several times")
]


@roles.command("list")
def list_roles(
    *,
    of: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only those of this account")
    ] = None,
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """List the roles and what they allow."""
    from holdfast.cli import roles as command

    command.show(of, as_json=as_json)


@roles.command("create")
def create_role(
    name: _Name,
    *,
    scope: _Scopes = None,
    title: Annotated[str | None, typer.Option(help="For people to read")] = None,
    description: Annotated[str, typer.Option(help="Whom it is for")] = "",
) -> None:
    """Make a role."""
    from holdfast.cli import roles as command

    command.create(name, scope or [], title=title, description=description)


@roles.command("change")
def change_role(
    name: _Name,
    *,
    scope: _Scopes = None,
    title: Annotated[str | None, typer.Option(help="For people to read")] = None,
    description: Annotated[str | None, typer.Option(help="Whom it is for")] = None,
) -> None:
    """Change a role; scopes that are given replace those it had."""
    from holdfast.cli import roles as command

    command.change(name, title=title, description=description, scopes=scope or None)


@roles.command("delete")
def delete_role(name: _Name) -> None:
    """Delete a role that nobody has."""
    from holdfast.cli import roles as command

    command.delete(name)


@roles.command("grant")
def grant_role(who: _Who, name: _Name) -> None:
    """Give an account a role."""
    from holdfast.cli import roles as command

    command.grant(who, name)


@roles.command("revoke")
def revoke_role(who: _Who, name: _Name) -> None:
    """Take a role from an account."""
    from holdfast.cli import roles as command

    command.revoke(who, name)
