"""Everything that differs between two deployments, read once at the start.

``Settings.read`` takes the environment, reports every bad value in one message,
and is called by the composition root alone. No other file reads the environment.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from holdfast.kernel.money import CURRENCIES
from holdfast.platform import openid_providers, webhooks
from holdfast.platform.openid_providers import OpenIdProvider

T = TypeVar("T")

Environment = Literal["development", "test", "staging", "production"]
_ENVIRONMENTS: tuple[Environment, ...] = (
    "development",
    "test",
    "staging",
    "production",
)


_DEMANDING = ("staging", "production")
_HOME = ".holdfast"
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,189}")
KEY_SERVICES = ("aws-kms://", "gcp-kms://", "hcvault://")


class BadSettings(ValueError):
    """One or more settings are missing or wrong; the message lists them all."""


class Secret(str):
    """A string that does not print itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process."""

    environment: Environment
    """Which rules apply: staging and production demand real servers."""
    home: Path
    """Folder of everything that is kept outside the servers."""
    database_url: Secret | None
    """PostgreSQL 18 to use in place of the embedded one."""
    redis_url: Secret | None
    """Redis or Valkey to use in place of the embedded one."""
    pg_bin: Path | None
    """Folder of another PostgreSQL build for the embedded server to run."""
    payment_url: str | None
    """Payment provider; without it the simulator is started."""
    carrier_url: str | None
    """Carrier; without it the simulator is started."""
    currency: str
    """ISO 4217 code of the currency new carts and products have."""
    mail_url: Secret | None
    """Mail server; without it mail goes to the embedded mailbox."""
    mail_from: str
    """Sender of every mail."""
    stock_mail_to: str | None
    """Who is told by e-mail when stock runs low; nobody if it is not set."""
    operator_key: Secret | None
    """API key for commands that speak to the shop over HTTP, such as a replay."""
    public_url: str
    """Where clients reach the shop, without a slash at the end: the OAuth issuer, and
    what links in e-mails begin with."""
    data_key: Secret
    """What wraps the keys of personal data: a key service (``aws-kms://``,
    ``gcp-kms://``, ``hcvault://``), ``file:`` and a path, or ``base64:`` and 32
    bytes. By default a file in the home, made at the first start; production takes a
    key service only."""
    openid_providers: tuple[OpenIdProvider, ...]
    """Who else may say who somebody is: a JSON list, each with ``id``, ``title``,
    ``issuer``, ``client_id`` and ``client_secret``."""
    log_format: Literal["json", "console"]
    """One JSON object a line (the default outside development), or colours."""
    log_level: Literal["debug", "info", "warning", "error"]
    """The least important line that is still written."""
    database_pool_size: int
    """Connections to PostgreSQL that one process may hold."""
    payment_timeout_seconds: float
    """How long a buyer waits for the payment provider, retries included."""
    payment_action_seconds: int
    """How long a buyer may take to do their part of a payment (3-D Secure) before it is
    cancelled and the stock is free again."""
    payment_webhook_secrets: tuple[Secret, ...]
    """What the payment provider signs its webhooks with; two, with a space between,
    while one replaces the other."""
    capture: Literal["checkout", "shipment"]
    """When the money of an order is taken: at once, or set aside and taken with the
    first shipment."""
    carrier_timeout_seconds: float
    """How long a cart waits for the carrier before it falls back; labels may take four
    times as long."""
    parcel_size: tuple[int, int, int] | None
    """Length, width and height of the box that orders are sent in, in millimetres
    (``400x300x200``): carriers also charge for the room a parcel takes. Without it they
    are told the weight alone."""
    carrier_webhook_secrets: tuple[Secret, ...]
    """What the carrier signs its webhooks with; two, with a space between, while one
    replaces the other."""
    invoice_seller: tuple[str, ...]
    """Who sells, as invoices say it: name, address, tax number. Without it, the address
    of the shop."""
    openid_timeout_seconds: float
    """How long somebody waits for each answer of an OpenID provider."""
    pay_page: str | None
    """Your page where buyers pay draft orders; e-mailed links lead there, with the
    cart's id and token behind a ``#``."""
    cart_days: int
    """After how many days without a change an open cart expires."""
    reservation_seconds: int
    """How long stock is held for a cart that asks for it, and again when it renews; an
    hour in all."""
    body_limit_bytes: int
    """The largest request body that is read."""
    shutdown_grace_seconds: int
    """How long requests in flight may take to finish at the end."""
    raw: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Build the settings; ``BadSettings`` names every bad value at once."""
        read = _Reader(environ)
        environment = read.choice("HOLDFAST_ENV", _ENVIRONMENTS, "development")
        settings = cls(
            environment=environment,
            home=Path(read.text("HOLDFAST_HOME", _HOME)).absolute(),
            database_url=read.url("DATABASE_URL", ("postgres", "postgresql")),
            redis_url=read.url("REDIS_URL", ("redis", "rediss", "unix")),
            pg_bin=read.directory("PG_BIN"),
            payment_url=read.url("HOLDFAST_PAYMENT_URL", ("http", "https")),
            carrier_url=read.url("HOLDFAST_CARRIER_URL", ("http", "https")),
            currency=read.choice("HOLDFAST_CURRENCY", tuple(sorted(CURRENCIES)), "EUR"),
            mail_url=read.url("HOLDFAST_MAIL_URL", ("smtp", "smtps")),
            mail_from=read.text("HOLDFAST_MAIL_FROM", "shop@holdfast.example"),
            stock_mail_to=read.email("HOLDFAST_STOCK_MAIL_TO"),
            operator_key=Secret(read.text("HOLDFAST_OPERATOR_KEY", "")) or None,
            public_url=read.public_url("HOLDFAST_PUBLIC_URL", environment),
            data_key=read.data_key("HOLDFAST_DATA_KEY", environment),
            openid_providers=read.openid_providers(
                "HOLDFAST_OPENID_PROVIDERS", environment
            ),
            log_format=read.choice(
                "HOLDFAST_LOG_FORMAT",
                ("json", "console"),
                "console" if environment == "development" else "json",
            ),
            log_level=read.choice(
                "HOLDFAST_LOG_LEVEL", ("debug", "info", "warning", "error"), "info"
            ),
            database_pool_size=read.whole("HOLDFAST_DATABASE_POOL_SIZE", 10, 1, 1000),
            payment_timeout_seconds=read.seconds("HOLDFAST_PAYMENT_TIMEOUT_SECONDS", 8),
            payment_action_seconds=read.whole(
                "HOLDFAST_PAYMENT_ACTION_SECONDS", 900, 1, 86_400
            ),
            payment_webhook_secrets=read.webhook_secrets(
                "HOLDFAST_PAYMENT_WEBHOOK_SECRET"
            ),
            capture=read.choice(
                "HOLDFAST_CAPTURE", ("checkout", "shipment"), "checkout"
            ),
            carrier_timeout_seconds=read.seconds("HOLDFAST_CARRIER_TIMEOUT_SECONDS", 2),
            parcel_size=read.measures("HOLDFAST_PARCEL_SIZE"),
            carrier_webhook_secrets=read.webhook_secrets(
                "HOLDFAST_CARRIER_WEBHOOK_SECRET"
            ),
            invoice_seller=read.lines("HOLDFAST_INVOICE_SELLER"),
            openid_timeout_seconds=read.seconds("HOLDFAST_OPENID_TIMEOUT_SECONDS", 5),
            pay_page=read.url("HOLDFAST_PAY_PAGE", ("http", "https")),
            cart_days=read.whole("HOLDFAST_CART_DAYS", 30, 1, 3650),
            reservation_seconds=read.whole(
                "HOLDFAST_RESERVATION_SECONDS", 600, 1, 3600
            ),
            body_limit_bytes=read.whole(
                "HOLDFAST_BODY_LIMIT_BYTES", 1 << 20, 1024, 1 << 30
            ),
            shutdown_grace_seconds=read.whole(
                "HOLDFAST_SHUTDOWN_GRACE_SECONDS", 15, 1, 600
            ),
            raw=dict(environ),
        )
        settings._demand_servers_in_production(read)
        read.finish()
        return settings

    @classmethod
    def from_environment(cls) -> "Settings":
        return cls.read(os.environ)  # noqa: TID251 - the one place that may

    def _demand_servers_in_production(self, read: "_Reader") -> None:
        # The embedded servers and simulators are for one machine: without TLS
        # and backups they must never carry a real shop by accident.
        if self.environment not in _DEMANDING:
            return
        for name in (
            "DATABASE_URL",
            "REDIS_URL",
            "HOLDFAST_PAYMENT_URL",
            "HOLDFAST_CARRIER_URL",
            "HOLDFAST_MAIL_URL",
        ):
            if not self.raw.get(name):
                read.problems.append(f"{name} must be set in {self.environment}")


class _Reader:
    """Reads values one by one and remembers every problem."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def finish(self) -> None:
        if self.problems:
            raise BadSettings("; ".join(self.problems))

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name) or default

    def choice(self, name: str, choices: tuple[T, ...], default: T) -> T:
        value = self._environ.get(name)
        if not value:
            return default
        for choice in choices:
            if choice == value:
                return choice
        shown = ", ".join(map(str, choices[:6])) + (", ..." if len(choices) > 6 else "")  # noqa: PLR2004 - a line's worth
        self.problems.append(f"{name} must be one of {shown}, not {value!r}")
        return default

    def url(self, name: str, schemes: tuple[str, ...]) -> Secret | None:
        value = self._environ.get(name)
        if not value:
            return None
        try:
            known = urlsplit(value).scheme in schemes
        except ValueError:
            known = False
        if not known:
            # The value is not shown: it may hold a password.
            shown = " or ".join(f"{scheme}://" for scheme in schemes)
            self.problems.append(f"{name} must be a URL with {shown}")
            return None
        return Secret(value)

    def public_url(self, name: str, environment: Environment) -> str:
        """An address that can be an issuer: RFC 8414 2 wants https, bare."""
        url = self.url(name, ("http", "https"))
        demanding = environment in _DEMANDING
        if url is None:
            if demanding and not self._environ.get(name):
                self.problems.append(f"{name} must be set in {environment}")
            return "http://127.0.0.1:8000"
        parts = urlsplit(url)
        if parts.query or parts.fragment or parts.username or not parts.hostname:
            self.problems.append(f"{name} must be a bare address, without ? # or @")
        if demanding and parts.scheme != "https":
            self.problems.append(f"{name} must be https:// in {environment}")
        return str(url).rstrip("/")

    def data_key(self, name: str, environment: Environment) -> Secret:
        value = self._environ.get(name)
        if not value:
            if environment in _DEMANDING:
                self.problems.append(f"{name} must be set in {environment}")
            home = Path(self.text("HOLDFAST_HOME", _HOME)).absolute()
            return Secret(f"file:{home / 'data.key'}")
        if not value.startswith((*KEY_SERVICES, "file:", "base64:")):
            # Not shown: it may be the key itself.
            shown = ", ".join((*KEY_SERVICES, "file:", "base64:"))
            self.problems.append(f"{name} must begin with one of {shown}")
        elif environment == "production" and not value.startswith(KEY_SERVICES):
            self.problems.append(
                f"{name} must be a key service in production: "
                + " or ".join(KEY_SERVICES)
            )
        return Secret(value)

    def openid_providers(
        self, name: str, environment: Environment
    ) -> tuple[OpenIdProvider, ...]:
        value = self._environ.get(name)
        if not value:
            return ()
        providers, faults = openid_providers.read(
            value, demanding=environment in _DEMANDING
        )
        self.problems += [f"{name} {fault}" for fault in faults]
        return providers

    def webhook_secrets(self, name: str) -> tuple[Secret, ...]:
        secrets = tuple(map(Secret, (self._environ.get(name) or "").split()))
        for secret in secrets:
            try:
                webhooks.key_of(secret)
            except ValueError as error:
                # What is wrong with it, and nothing of it.
                self.problems.append(f"{name}: {error}")
        return secrets

    def email(self, name: str) -> str | None:
        value = (self._environ.get(name) or "").strip()
        if value and (not _EMAIL.fullmatch(value) or not value.isascii()):
            self.problems.append(f"{name} must be an e-mail address")
            return None
        return value or None

    def measures(self, name: str) -> tuple[int, int, int] | None:
        value = self._environ.get(name)
        if not value:
            return None
        found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})x([1-9]\d{0,4})", value)
        if found is None:
            self.problems.append(f"{name} must be like 400x300x200, not {value!r}")
            return None
        return int(found[1]), int(found[2]), int(found[3])

    def lines(self, name: str) -> tuple[str, ...]:
        value = self._environ.get(name) or ""
        return tuple(line.strip() for line in value.split("|") if line.strip())

    def directory(self, name: str) -> Path | None:
        value = self._environ.get(name)
        if not value:
            return None
        if not Path(value).is_dir():
            self.problems.append(f"{name} must be a folder, and {value!r} is not")
            return None
        return Path(value)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        return self._number(name, default, low, high, int)

    def seconds(self, name: str, default: float) -> float:
        return self._number(name, default, 0.05, 600, float)

    def _number(
        self, name: str, default: T, low: float, high: float, kind: Callable[[str], T]
    ) -> T:
        value = self._environ.get(name)
        if not value:
            return default
        try:
            number = kind(value)
            if not low <= float(value) <= high:
                raise ValueError  # noqa: TRY301 - one message for both faults
        except ValueError:
            self.problems.append(
                f"{name} must be a number from {low} to {high}, not {value!r}"
            )
            return default
        return number
