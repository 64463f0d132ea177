"""Values out of the environment, each checked, every fault remembered.

What is asked for, and what it means, is for ``settings`` to say. A secret is never
repeated in a complaint.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from holdfast.kernel import languages
from holdfast.platform import openid_providers, proxies, rates, webhooks
from holdfast.platform.openid_providers import OpenIdProvider
from holdfast.platform.proxies import TrustedProxies
from holdfast.platform.rates import Rate

T = TypeVar("T")

Environment = Literal["development", "test", "staging", "production"]
DEMANDING = ("staging", "production")
"""Where real servers are a must."""
HOME = ".holdfast"
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,189}")
# As browsers send it: lower case, and no port that goes without saying.
_ORIGIN = re.compile(
    r"(?!http://[^:]*:80$|https://[^:]*:443$)"
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])"
    r"(?::[1-9]\d{0,4})?"
)
BUCKET_OPTIONS = frozenset({"region", "endpoint"})
KEY_SERVICES = ("aws-kms://", "gcp-kms://", "hcvault://")


class BadSettings(ValueError):
    """One or more settings are missing or wrong; the message lists them all."""


class Secret(str):
    """A string that does not print itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class Reader:
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

    def language(self, name: str, default: str) -> str:
        value = self._environ.get(name)
        if not value:
            return default
        tag = languages.canonical(value)
        if tag is None:
            self.problems.append(
                f"{name} must be a language tag such as de or pt-BR, not {value!r}"
            )
        return tag or default

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

    def bucket(self, name: str) -> Secret | None:
        """``s3://bucket/prefix``, with keys before an @ and options after a ?."""
        url = self.url(name, ("s3",))
        if url is None:
            return None
        parts = urlsplit(url)
        if not parts.hostname or parts.fragment or parts.netloc.endswith(":"):
            self.problems.append(f"{name} must name a bucket, as s3://bucket/prefix")
        if bool(parts.username) != bool(parts.password):
            self.problems.append(f"{name} must have both keys before the @, or none")
        for option in dict(parse_qsl(parts.query, keep_blank_values=True)):
            if option not in BUCKET_OPTIONS:
                self.problems.append(f"{name} has no option {option!r}")
        return url

    def public_url(self, name: str, environment: Environment) -> str:
        """An address that can be an issuer: RFC 8414 2 wants https, bare."""
        url = self.url(name, ("http", "https"))
        demanding = environment in DEMANDING
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
            if environment in DEMANDING:
                self.problems.append(f"{name} must be set in {environment}")
            home = Path(self.text("HOLDFAST_HOME", HOME)).absolute()
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
            value, demanding=environment in DEMANDING
        )
        self.problems += [f"{name} {fault}" for fault in faults]
        return providers

    def proxies(self, name: str) -> TrustedProxies:
        trusted, faults = proxies.read(self._environ.get(name) or "")
        self.problems += [f"{name} {fault}" for fault in faults]
        return trusted

    def origins(self, name: str, environment: Environment) -> tuple[str, ...]:
        """Origins as browsers write them (RFC 6454 6.2), or ``*``."""
        origins = tuple((self._environ.get(name) or "").replace(",", " ").split())
        for origin in origins:
            if origin != "*" and _ORIGIN.fullmatch(origin) is None:
                self.problems.append(
                    f"{name} must be origins like https://store.example, or *, "
                    f"and {origin!r} is neither"
                )
            elif environment in DEMANDING and origin.startswith("http:"):
                self.problems.append(f"{name} must be https:// in {environment}")
        return origins

    def rates(self, name: str) -> Mapping[str, Rate | None]:
        said, faults = rates.read(self._environ.get(name) or "")
        self.problems += [f"{name} {fault}" for fault in faults]
        return said

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
