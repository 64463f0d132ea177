"""Everything that differs between two deployments, read once at the start.

``Settings.read`` takes the environment, reports every bad value in one message,
and is called by the composition root alone. No other file reads the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from holdfast.kernel.money import CURRENCIES
from holdfast.platform.environment import (
    DEMANDING,
    HOME,
    KEY_SERVICES,
    BadSettings,
    Environment,
    Reader,
    Secret,
)
from holdfast.platform.openid_providers import OpenIdProvider
from holdfast.platform.proxies import TrustedProxies
from holdfast.platform.rates import Rate

__all__ = [
    "KEY_SERVICES",
    "PROCESSES",
    "BadSettings",
    "Environment",
    "Secret",
    "Settings",
]

PROCESSES = "HOLDFAST_API_PROCESSES"
_ENVIRONMENTS: tuple[Environment, ...] = (
    "development",
    "test",
    "staging",
    "production",
)


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
    language: str
    """BCP 47 tag of the language that products and categories are written in; what they
    say in others are translations."""
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
    request_log_mib: int
    """How much of its request lines each API process keeps in the home, for ``holdfast
    explain``; 0 keeps none. The lines are of level info."""
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
    password_shortest: int
    """The fewest characters of a new password; older ones stay good. 8, beside the list
    of common ones, is what NIST SP 800-63B asked up to revision 3, and what revision 4
    (2025) asks where a second factor is demanded; where a password may be all there is,
    as for customers here, revision 4 asks 15."""
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
    trusted_proxies: TrustedProxies
    """Addresses and networks of the proxies before the shop (``10.0.0.5 10.1.0.0/16``;
    ``unix`` for a local socket): they are believed about where a request came from."""
    cors_origins: tuple[str, ...]
    """Origins whose pages may call the API from a browser (``https://store.example``),
    with spaces between; ``*`` for every one. Cookies are never taken from any."""
    rate_limits: Mapping[str, Rate | None]
    """Other rate limits than the usual ones, by policy: units a period, and at once
    (``guest=50/s:500 customer-daily=off``); ``*`` for all that are not named."""
    api_processes: int
    """Processes of the API on all machines together. While Redis is gone each grants
    its share of the limits. ``serve --workers`` says it for one machine."""
    body_limit_bytes: int
    """The largest request body that is read."""
    protection: Literal["on", "off"]
    """Whether requests are limited, shed and given a budget of time, and calls to
    others stand behind circuits; off, to measure what that costs and what it is worth.
    Production takes on alone."""
    shutdown_grace_seconds: int
    """How long requests in flight may take to finish at the end."""
    media_url: Secret | None
    """Bucket for pictures, ``s3://bucket/prefix``; keys go before an ``@``, ``region``
    and ``endpoint`` after a ``?``. Without it they are in ``images`` in the home, which
    all processes must then share."""
    raw: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Build the settings; ``BadSettings`` names every bad value at once."""
        read = Reader(environ)
        environment = read.choice("HOLDFAST_ENV", _ENVIRONMENTS, "development")
        settings = cls(
            environment=environment,
            home=Path(read.text("HOLDFAST_HOME", HOME)).absolute(),
            database_url=read.url("DATABASE_URL", ("postgres", "postgresql")),
            redis_url=read.url("REDIS_URL", ("redis", "rediss", "unix")),
            pg_bin=read.directory("PG_BIN"),
            payment_url=read.url("HOLDFAST_PAYMENT_URL", ("http", "https")),
            carrier_url=read.url("HOLDFAST_CARRIER_URL", ("http", "https")),
            currency=read.choice("HOLDFAST_CURRENCY", tuple(sorted(CURRENCIES)), "EUR"),
            language=read.language("HOLDFAST_LANGUAGE", "en"),
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
            request_log_mib=read.whole("HOLDFAST_REQUEST_LOG_MIB", 16, 0, 10_000),
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
            password_shortest=read.whole("HOLDFAST_PASSWORD_SHORTEST", 8, 8, 64),
            openid_timeout_seconds=read.seconds("HOLDFAST_OPENID_TIMEOUT_SECONDS", 5),
            pay_page=read.url("HOLDFAST_PAY_PAGE", ("http", "https")),
            cart_days=read.whole("HOLDFAST_CART_DAYS", 30, 1, 3650),
            reservation_seconds=read.whole(
                "HOLDFAST_RESERVATION_SECONDS", 600, 1, 3600
            ),
            trusted_proxies=read.proxies("HOLDFAST_TRUSTED_PROXIES"),
            cors_origins=read.origins("HOLDFAST_CORS_ORIGINS", environment),
            rate_limits=read.rates("HOLDFAST_RATE_LIMITS"),
            api_processes=read.whole("HOLDFAST_API_PROCESSES", 1, 1, 10_000),
            body_limit_bytes=read.whole(
                "HOLDFAST_BODY_LIMIT_BYTES", 1 << 20, 1024, 1 << 30
            ),
            protection=read.choice("HOLDFAST_PROTECTION", ("on", "off"), "on"),
            shutdown_grace_seconds=read.whole(
                "HOLDFAST_SHUTDOWN_GRACE_SECONDS", 15, 1, 600
            ),
            media_url=read.bucket("HOLDFAST_MEDIA_URL"),
            raw=dict(environ),
        )
        settings._demand_servers_in_production(read)
        if environment == "production" and settings.protection == "off":
            read.problems.append("HOLDFAST_PROTECTION must be on in production")
        read.finish()
        return settings

    @classmethod
    def from_environment(cls) -> "Settings":
        return cls.read(os.environ)  # noqa: TID251 - the one place that may

    def _demand_servers_in_production(self, read: Reader) -> None:
        # The embedded servers and simulators are for one machine: without TLS
        # and backups they must never carry a real shop by accident.
        if self.environment not in DEMANDING:
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
