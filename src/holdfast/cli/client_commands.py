"""The options of ``holdfast clients``; what they do is in ``clients``."""

from typing import Annotated

import typer

clients = typer.Typer(help="OAuth clients: what signs people in, or acts for itself.")

_Id = Annotated[str, typer.Argument(metavar="ID", help="From the list")]
_Json = Annotated[bool, typer.Option("--json", help="For programs")]


@clients.command("create")
def create_client(
    name: Annotated[str, typer.Argument(help="Shown to people who sign in")],
    *,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="Where browsers may be sent; may be given several times"),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="May be given several times")
    ] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option(
            help="authorization_code, refresh_token, client_credentials; by default "
            "the first two with a redirect URI, else the last"
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Runs on people's own devices: no secret")
    ] = False,
    first_party: Annotated[
        bool, typer.Option("--first-party", help="The shop's own: no consent is asked")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Register a client and show its secret, this once."""
    from holdfast.cli import clients as command

    command.create(
        command.New(
            name,
            tuple(redirect_uri or ()),
            tuple(scope or ()),
            tuple(grant or ()),
            public,
            first_party,
        ),
        as_json=as_json,
    )


@clients.command("list")
def list_clients(*, as_json: _Json = False) -> None:
    """List all clients; never their secrets."""
    from holdfast.cli import clients as command

    command.show_all(as_json=as_json)


@clients.command("show")
def show_client(client_id: _Id, *, as_json: _Json = False) -> None:
    """Show a client."""
    from holdfast.cli import clients as command

    command.show(client_id, as_json=as_json)


@clients.command("disable")
def disable_client(client_id: _Id) -> None:
    """Take a client out of use; its tokens end within five seconds."""
    from holdfast.cli import clients as command

    command.disable(client_id)


@clients.command("rotate-secret")
def rotate_secret(client_id: _Id, *, as_json: _Json = False) -> None:
    """Give a client another secret and show it, this once."""
    from holdfast.cli import clients as command

    command.rotate_secret(client_id, as_json=as_json)
