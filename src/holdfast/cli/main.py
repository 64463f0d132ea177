"""The ``holdfast`` command: one subcommand a file, registered here.

A command's module is imported when the command runs, so that ``holdfast --help``
does not load the web framework and every process starts with what it needs.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import stock_commands
from holdfast.cli.bench_commands import bench
from holdfast.cli.circuit_commands import circuits
from holdfast.cli.client_commands import clients
from holdfast.cli.file_commands import export, imports
from holdfast.cli.payment_commands import reconcile
from holdfast.cli.prove_commands import prove
from holdfast.cli.role_commands import roles
from holdfast.cli.search_commands import search
from holdfast.cli.user_commands import users
from holdfast.kernel.errors import DomainError
from holdfast.platform.settings import BadSettings

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
    what: Annotated[str, typer.Argument(help="payment or carrier")],
    *,
    host: str = typer.Option("127.0.0.1"),
    port: int = typer.Option(0, help="0 picks a free port"),
    state: Annotated[
        Path | None, typer.Option(help="File or folder that outlives the process")
    ] = None,
    webhook_url: Annotated[
        str | None, typer.Option(help="Where it tells what happens")
    ] = None,
    webhook_secret: Annotated[
        str | None,
        typer.Option(
            help="What signs it: whsec_ and base64",
            envvar="HOLDFAST_SIMULATE_WEBHOOK_SECRET",
        ),
    ] = None,
) -> None:
    """Run a simulated payment provider or carrier until stopped."""
    from holdfast.simulators import main as simulators

    simulators.run(
        what,
        host=host,
        port=port,
        state=state,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
    )


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


@app.command("serve")
def serve(
    *,
    host: str = typer.Option("127.0.0.1", help="Listen here; 0.0.0.0: everywhere"),
    port: int = typer.Option(8000, min=0, max=65535, help="0: any free one"),
    workers: int = typer.Option(1, min=1, max=64, help="Processes that share the port"),
    inherited: Annotated[
        int | None, typer.Option(hidden=True, help="A socket that a parent opened")
    ] = None,
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="The process that opened it")
    ] = None,
) -> None:
    """Serve the API until stopped."""
    from holdfast.cli import serve as command

    if inherited is not None and parent is not None:
        command.run_worker(inherited, parent=parent)
    else:
        command.run(host=host, port=port, workers=workers)


@app.command("worker")
def worker(
    health_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Answer /livez, /readyz and /metrics here; 0 picks a free port",
        ),
    ] = None,
    health_host: str = typer.Option("127.0.0.1"),
) -> None:
    """Do what orders and the clock ask for, until stopped."""
    from holdfast.cli import worker as command

    command.run(health_host=health_host, health_port=health_port)


@app.command("migrate")
def migrate() -> None:
    """Bring the database to the schema of this release."""
    from holdfast.cli import migrate as command

    command.run()


@app.command("check")
def check() -> None:
    """Show the settings, secrets hidden, and ask everything the shop depends on."""
    from holdfast.cli import check as command

    command.run()


@app.command("explain")
def explain(
    request_id: Annotated[str, typer.Argument(help="From X-Request-Id of the answer")],
    *,
    log: Annotated[
        list[Path] | None,
        typer.Option(help="Look in this log instead; may be given several times"),
    ] = None,
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Tell what was decided about a request, by which rule, and what that means."""
    from holdfast.cli import explain as command

    command.run(request_id, logs=log or [], as_json=as_json)


@app.command("mail")
def mail(
    id: Annotated[  # noqa: A002 - what the help shows
        str | None, typer.Argument(help="Show this one: its id, or how that ends")
    ] = None,
    *,
    limit: int = typer.Option(20, min=1, max=1000, help="How many, latest first"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Show the e-mails of the shop."""
    from holdfast.cli import mail as command

    command.run(id, limit=limit, as_json=as_json)


jobs = typer.Typer(help="Jobs that were given up, and doing them again.")
app.add_typer(jobs, name="jobs", no_args_is_help=True)


@jobs.command("list")
def list_jobs(
    *,
    limit: int = typer.Option(50, min=1, max=1000, help="How many, latest first"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """List the jobs that were given up, and why."""
    from holdfast.cli import jobs as command

    command.show(limit=limit, as_json=as_json)


@jobs.command("retry")
def retry_jobs(
    ids: Annotated[list[int] | None, typer.Argument(help="Ids from the list")] = None,
    *,
    everything: bool = typer.Option(False, "--all", help="All that were given up"),
) -> None:
    """Queue jobs that were given up once more."""
    from holdfast.cli import jobs as command

    if bool(ids) == everything:
        raise typer.BadParameter("Name some ids, or use --all.")
    command.retry(ids or [], everything=everything)


keys = typer.Typer(help="API keys of operators, and the keys of tokens and data.")
app.add_typer(keys, name="keys", no_args_is_help=True)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What or whom it is for")],
    *,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="May be given several times")
    ] = None,
    all_scopes: bool = typer.Option(False, "--all-scopes", help="May do everything"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Create a key and show it, this once."""
    from holdfast.cli import keys as command
    from holdfast.domain.identity import KEY_SCOPES

    if bool(scope) == all_scopes:
        raise typer.BadParameter("Name some scopes with --scope, or use --all-scopes.")
    command.create(name, scope or sorted(KEY_SCOPES), as_json=as_json)


@keys.command("list")
def list_keys(
    *,
    signing: bool = typer.Option(False, "--signing", help="Those that sign tokens"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """List all API keys, or those that sign tokens; never what they are."""
    if signing:
        from holdfast.cli import signing_keys

        signing_keys.show(as_json=as_json)
        return
    from holdfast.cli import keys as command

    command.show(as_json=as_json)


@keys.command("rotate")
def rotate_keys(
    *,
    data: bool = typer.Option(False, "--data", help="The key of personal data"),
    signing: bool = typer.Option(False, "--signing", help="That of tokens (default)"),
    now: bool = typer.Option(
        False, "--now", help="The key that signs has leaked: believe it no more"
    ),
    status: bool = typer.Option(False, "--status", help="How far --data has come"),
    retire: bool = typer.Option(
        False, "--retire", help="Drop older keys of --data that nothing is under"
    ),
    wrap_with: Annotated[
        str | None,
        typer.Option(help="Wrap the keys of --data by another: aws-kms://..."),
    ] = None,
) -> None:
    """Put another key in the place of the one that signs tokens, or seals data."""
    if data and (signing or now):
        raise typer.BadParameter("--data goes alone.")
    ways = (status, retire, wrap_with is not None)
    if any(ways) and (not data or sum(ways) > 1):
        raise typer.BadParameter(
            "--status, --retire and --wrap-with go with --data, one at a time."
        )
    if data:
        from holdfast.cli import data_keys

        if status:
            data_keys.status()
        elif retire:
            data_keys.retire()
        elif wrap_with is not None:
            data_keys.wrap_with(wrap_with)
        else:
            data_keys.rotate()
        return
    from holdfast.cli import signing_keys

    signing_keys.rotate(now=now)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="From the list")],
) -> None:
    """Revoke a key; it opens nothing after five seconds."""
    from holdfast.cli import keys as command

    command.revoke(key_id)


app.command("reconcile")(reconcile)
app.add_typer(roles, name="roles", no_args_is_help=True)
app.add_typer(clients, name="clients", no_args_is_help=True)
app.add_typer(users, name="users", no_args_is_help=True)
app.add_typer(circuits, name="circuits", no_args_is_help=True)
app.add_typer(search, name="search", no_args_is_help=True)


app.add_typer(imports, name="import", no_args_is_help=True)
app.command("export")(export)
app.command("doctor")(stock_commands.doctor)


seeds = typer.Typer(help="Something to begin with.")
app.add_typer(seeds, name="seed", no_args_is_help=True)


@seeds.command("demo")
def seed_demo() -> None:
    """Fill the shop with a demo catalogue; a second time changes nothing."""
    from holdfast.cli import seed as command

    command.run()


replays = typer.Typer(help="Sales of real shops, sold again.")
app.add_typer(replays, name="replay", no_args_is_help=True)


@replays.command("retail")
def replay_retail(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Invoice lines, CSV")],
    *,
    url: str = typer.Option("http://127.0.0.1:8000", help="Of the shop"),
    key: Annotated[
        str | None, typer.Option(help="Of an operator; by default that of the shop")
    ] = None,
    payment_url: Annotated[
        str | None, typer.Option(help="Of the payment simulator that the shop uses")
    ] = None,
    concurrency: int = typer.Option(16, min=1, max=200, help="Requests at a time"),
    as_json: bool = typer.Option(False, "--json", help="For programs"),
) -> None:
    """Place every invoice as an order and hold the shop's books against the files.

    Meant for an empty shop. Started again after an interruption it goes on; when
    everything is ordered it only compares. Exits 1 on any difference, 2 when it
    could not be found out.
    """
    from holdfast.cli import replay as command

    command.run(command.Options(folder, url, key, payment_url, concurrency, as_json))


app.add_typer(bench, name="bench")
app.command("prove")(prove)


def run() -> None:
    """Entry point of the installed script."""
    try:
        app()
    except (BadSettings, DomainError) as problem:
        # Something for the user to mend; a traceback would bury the sentence.
        print(f"holdfast: {problem}", file=sys.stderr)
        raise SystemExit(1) from None
