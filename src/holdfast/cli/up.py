"""``holdfast up``: a whole shop on this machine, in one command.

Servers and simulators start side by side, then the migrations, then the worker and
the API, each a process of its own run by its command line. What is set in the
environment (``DATABASE_URL``, ``REDIS_URL``, ``HOLDFAST_PAYMENT_URL``,
``HOLDFAST_CARRIER_URL``) is used and not started. Every failure is one sentence on
standard error and a non-zero exit, with nothing left running.
"""

import errno
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import holdfast
from holdfast.cli.console import LogFollower, Narrator, SourceWatch
from holdfast.cli.first_sale import Shop, three_calls
from holdfast.cli.webhook_targets import targets
from holdfast.platform import embedded
from holdfast.platform.embedded import (
    CannotStart,
    Command,
    Home,
    Interrupted,
    Part,
    PostgresServer,
    Program,
    Signals,
    Supervisor,
    ValkeyServer,
    leftovers,
)
from holdfast.platform.settings import BadSettings, Settings

_TASK_SECONDS = 300.0
_DEFAULT_PORT = 8000


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    fresh: bool = False
    port: int = _DEFAULT_PORT
    workers: int = 1
    seed: bool = True
    reload: bool = False


def run(options: Options) -> None:
    """Run the shop until told to stop; raises ``SystemExit``."""
    narrator = Narrator()
    signals = Signals()
    with signals.listening():
        try:
            settings = Settings.from_environment()
            home = Home(settings.home)
            try:
                with home.held():
                    _Run(options, settings, home, narrator, signals).to_the_end()
            except OSError as error:
                where = Path(error.filename or home.path)
                raise embedded.explain("Holdfast cannot go on", error, where) from error
        except Interrupted:
            narrator.tell("stopped before it was up")
            raise SystemExit(130) from None
        except (CannotStart, BadSettings) as problem:
            print(f"holdfast up: {problem}", file=sys.stderr)
            tail = getattr(problem, "tail", "")
            if tail:
                print("\n".join("  | " + x for x in tail.splitlines()), file=sys.stderr)
            raise SystemExit(1) from None


@dataclass
class _Run:
    """One run of a shop, from its first process to its last."""

    options: Options
    settings: Settings
    home: Home
    narrator: Narrator
    signals: Signals
    addresses: dict[str, str] = field(default_factory=dict)
    operator: str = ""
    """The e-mail address to sign in with."""

    def to_the_end(self) -> None:
        if ended := leftovers.end(self.home.path):
            self.narrator.tell(f"ended {ended} processes of an earlier run")
        port = self._port()
        self.home.prepare(fresh=self.options.fresh)
        supervisor = Supervisor(
            self.signals, say=self.narrator.tell, forgiving=self.options.reload
        )
        # From before the start on: what is edited meanwhile must not be missed.
        source = SourceWatch(Path(holdfast.__file__).parent)
        up = False
        try:
            with self.narrator.busy("starting"):
                api, programs = self._start(supervisor, port)
            up = True
            supervisor.watch(each=self._each(supervisor, source, [*programs, api]))
        except Interrupted:
            if not up:
                raise
        finally:
            supervisor.stop()
            self.home.env.unlink(missing_ok=True)
        self.narrator.tell("stopped")

    def _start(
        self, supervisor: Supervisor, port: int
    ) -> tuple[Program, list[Program]]:
        """Start everything, in order; return the API and what else runs our code."""
        servers, simulators = self._servers(), self._simulators(port)
        supervisor.start(*servers, *simulators, ready=self._tell_ready)
        # Before the first of our processes: links in e-mails lead here.
        if not self.settings.raw.get("HOLDFAST_PUBLIC_URL"):
            own = f"http://{embedded.LOOPBACK}:{port}"
            self.addresses["HOLDFAST_PUBLIC_URL"] = own
        self._note_addresses(servers, simulators)
        self._task("migrate", "migrate", log=self.home.logs / "migrate.log")
        api = Program(
            "api",
            *("serve", "--host", embedded.LOOPBACK),
            *("--workers", str(self.options.workers)),
            log=self.home.logs / "api.log",
            environ=self._environ(),
            port=port,
            port_is_fixed=True,
            health="/readyz",
            grace_seconds=self.settings.shutdown_grace_seconds + 2,
        )
        worker = Program(
            "worker",
            "worker",
            log=self.home.logs / "worker.log",
            environ=self._environ(),
            port=embedded.free_port(preferred=min(port + 103, 65535)),
            port_option="--health-port",
            grace_seconds=self.settings.shutdown_grace_seconds + 10,
        )
        said = self._task(
            "users first",
            *("users", "first", str(self.home.operator_password)),
            log=self.home.logs / "users.log",
        )
        self.operator, _, _ = said.partition(" ")
        supervisor.start(worker, api, ready=self._tell_ready)
        shop = Shop(api.url, self.home.operator_key)
        self._welcome(shop)
        self._announce(shop, [*servers, *simulators, worker, api])
        return api, [worker]

    def _port(self) -> int:
        if not self.options.port:
            return embedded.free_port()
        refusal = embedded.refusal(self.options.port)
        if refusal is None:
            return self.options.port
        if refusal.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {self.options.port} is in use by another program: choose "
                "another with --port."
            )
        raise CannotStart(
            f"Nothing can listen on port {self.options.port} "
            f"({refusal.strerror}): choose another with --port."
        )

    def _servers(self) -> list[PostgresServer | ValkeyServer]:
        marked = leftovers.mark(self.home.path)
        servers: list[PostgresServer | ValkeyServer] = []
        if self.settings.database_url is None:
            servers.append(
                PostgresServer(
                    self.home.path / "postgres",
                    bin_dir=self.settings.pg_bin,
                    log=self.home.logs / "postgres.log",
                    environ=marked,
                )
            )
        if self.settings.redis_url is None:
            servers.append(
                ValkeyServer(
                    self.home.path / "valkey",
                    log=self.home.logs / "valkey.log",
                    environ=marked,
                )
            )
        return servers

    def _simulators(self, port: int) -> list[Program]:
        wanted = {
            "payment": self.settings.payment_url,
            "carrier": self.settings.carrier_url,
        }
        told = targets(self.settings, f"http://{embedded.LOOPBACK}:{port}")
        for what, url in wanted.items():
            name = f"HOLDFAST_{what.upper()}_WEBHOOK_SECRET"
            if url is None and not self.settings.raw.get(name):
                self.addresses[name] = told[what].secret
        return [
            Program(
                f"{what} simulator",
                *("simulate", what, "--host", embedded.LOOPBACK),
                *("--state", str(self.home.path / "simulators" / f"{what}.jsonl")),
                *told[what].arguments,
                log=self.home.logs / f"{what}.log",
                environ={**self._environ(), **told[what].environ},
                # Near the API's, so that they are where they were last time.
                port=embedded.free_port(preferred=min(port + 100 + number, 65535)),
            )
            for number, (what, url) in enumerate(wanted.items(), start=1)
            if url is None
        ]

    def _note_addresses(
        self,
        servers: list[PostgresServer | ValkeyServer],
        simulators: list[Program],
    ) -> None:
        """Remember where everything is, for our processes and for other commands."""
        for server in servers:
            postgres = isinstance(server, PostgresServer)
            self.addresses["DATABASE_URL" if postgres else "REDIS_URL"] = server.url
        for simulator in simulators:
            what = simulator.name.split()[0].upper()
            self.addresses[f"HOLDFAST_{what}_URL"] = simulator.url
        lines = {"HOLDFAST_HOME": str(self.home.path), **self.addresses}
        embedded.write_private(
            self.home.env,
            "\n".join(f"{name}={shlex.quote(value)}" for name, value in lines.items()),
        )

    def _environ(self) -> Mapping[str, str]:
        environ = {
            **self.settings.raw,
            **self.addresses,
            **leftovers.mark(self.home.path),
            "HOLDFAST_HOME": str(self.home.path),
            "PYTHONUNBUFFERED": "1",
        }
        # Compiled modules are what makes the next start fast.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        return environ

    def _task(self, name: str, *arguments: str, log: Path) -> str:
        """Run one of our commands to its end and return what it said."""
        child = embedded.run_to_end(
            Command(
                arguments=embedded.holdfast(*arguments),
                environ=self._environ(),
                log=log,
            ),
            seconds=_TASK_SECONDS,
            tick=self.signals.check,
        )
        said = child.tail(lines=40)
        if child.exit_code != 0:
            *before, last = said.splitlines() or [f"exit code {child.exit_code}"]
            # A refusal is a sentence with our name before it, and needs no more.
            ours, _, sentence = last.partition(": ")
            if not ours.startswith("holdfast"):
                sentence = f"holdfast {name} failed: {last}"
            raise CannotStart(sentence, tail="\n".join(before[-12:]))
        return said

    def _welcome(self, shop: Shop) -> None:
        """See to the operator's key and, in an empty shop, to something to sell."""
        if not shop.admits_operator():
            draft = self.home.path / "operator-key.new"
            draft.unlink(missing_ok=True)
            embedded.write_private(draft, "")
            said = self._task(
                "keys create", "keys", "create", "operator", "--all-scopes", log=draft
            )
            draft.unlink()
            shop.keep_operator_key(said)
            self.narrator.tell("operator key created")
        if self.options.seed and shop.is_empty():
            self._task("seed", "seed", "demo", log=self.home.logs / "seed.log")
            self.narrator.tell("demo catalogue written")

    def _tell_ready(self, part: Part) -> None:
        child = part.child
        pid = f" (process {child.pid})" if child is not None else ""
        self.narrator.tell(f"{part.name} is ready{pid}")

    def _announce(self, shop: Shop, parts: list[Part]) -> None:
        where = {
            part.name: _shown(part.url)
            for part in parts
            if isinstance(part, PostgresServer | ValkeyServer | Program)
        }
        rows = [
            f"  {part.name:<18} {where.get(part.name, ''):<44} process {part.child.pid}"
            for part in parts
            if part.child is not None
        ]
        lines = [
            "",
            f"The shop is open after {self.narrator.seconds:.1f} s.",
            "",
            *rows,
            f"  {'documentation':<18} {shop.url}/docs",
            f"  {'logs':<18} {self.home.logs}",
            f"  {'operator key':<18} {shop.operator_key}   ({self.home.operator_key})",
            *self._sign_in(shop),
        ]
        if calls := three_calls(shop):
            lines += ["", "Buy something:", "", *calls]
        self.narrator.show("\n".join([*lines, "", "Ctrl-C stops it all.", ""]))

    def _sign_in(self, shop: Shop) -> list[str]:
        """How the operator signs in, in a browser."""
        file = self.home.operator_password
        # No file: the one that was made up has been changed since.
        shown = f"{file.read_text().strip()}   ({file})" if file.exists() else "yours"
        return [
            f"  {'sign in':<18} {shop.url}/sign-in as {self.operator}",
            f"  {'password':<18} {shown}",
        ]

    def _each(
        self, supervisor: Supervisor, source: SourceWatch, programs: list[Program]
    ) -> Callable[[], None]:
        """What to do whenever the supervisor has looked around."""
        if not self.options.reload:
            return lambda: None
        follower = LogFollower(
            {path.stem: path for path in sorted(self.home.logs.glob("*.log"))}
        )

        def each() -> None:
            follower.copy()
            if name := source.changed():
                self.narrator.tell(f"{name} changed; starting api and worker again")
                supervisor.restart(programs)

        return each


def _shown(url: str) -> str:
    """A URL without its password."""
    scheme, _, rest = url.partition("://")
    with suppress(ValueError):
        rest = rest[rest.index("@") + 1 :]
    return f"{scheme}://{rest}"
