"""SMTP: hand an e-mail to a mail server.

A message may reach the server twice, when the answer to the first time is lost or
the process dies before it is noted. Its ``Message-ID`` is the same each time, by
which mailboxes drop the second. ``smtps://`` speaks TLS from the start, ``smtp://``
upgrades when the server offers it, and no password is sent without.
"""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import unquote, urlsplit

from holdfast.domain.notifications.errors import MailRefused, MailServerUnavailable
from holdfast.domain.notifications.model import Email, one_line
from holdfast.kernel.email import fit_for_a_log
from holdfast.resilience.errors import Rejected, TimedOut

_PERMANENT = 500
_SMTP_PORT = 587
_SMTPS_PORT = 465
# SMTPException is an OSError too, and says that there was an answer.
_SILENCE = (
    ConnectionError,
    TimeoutError,
    smtplib.SMTPServerDisconnected,
    socket.gaierror,
    ssl.SSLError,
)


class MailServerSilent(Exception):
    """Nobody takes the connection, or it ends in the middle of a word."""


class Protect(Protocol):
    """Policies around handing on one e-mail."""

    async def __call__(self, call: Callable[[], Awaitable[None]], /) -> None: ...


class Mailer:
    """A mail server, by its URL: ``smtp[s]://user:password@host:port``."""

    def __init__(
        self,
        url: str,
        *,
        sender: str,
        timeout_seconds: float = 10.0,
        tls: ssl.SSLContext | None = None,
        protect: Protect | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._encrypted = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (_SMTPS_PORT if self._encrypted else _SMTP_PORT)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._sender = sender
        self._timeout_seconds = timeout_seconds
        self._tls = tls
        self._protect = protect or _plainly

    async def send(self, email: Email) -> None:
        """Return once the server has taken it.

        Raises ``MailServerUnavailable`` when sending again later may help, and
        ``MailRefused`` when it cannot.
        """
        message = self._written(email)

        async def attempt() -> None:
            # smtplib blocks, so each message has a thread; they are few at a time.
            await asyncio.to_thread(self._deliver, message)

        try:
            await self._protect(attempt)
        except MailServerSilent as error:
            raise MailServerUnavailable(str(error)) from error
        except (Rejected, TimedOut) as error:
            # The job waits in its queue, which tries again.
            raise MailServerUnavailable(_said(error)) from error

    def _written(self, email: Email) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = self._sender
            message["To"] = email.recipient
            message["Subject"] = email.subject
        except (ValueError, MessageError) as error:
            raise MailRefused(_said(error)) from error
        # One address that is the whole header: "a@x, b@y" would be two letters.
        named = [address.addr_spec for address in message["To"].addresses]
        if named != [email.recipient]:
            raise MailRefused("The recipient is not one e-mail address.")
        message["Date"] = format_datetime(email.created_at)
        message["Message-ID"] = f"<{email.id}@{self._sender.rpartition('@')[2]}>"
        # RFC 3834: holiday notices and other machines do not answer it.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(email.body)
        return message

    def _deliver(self, message: EmailMessage) -> None:
        try:
            server = self._connect()
            try:
                server.send_message(message)
            finally:
                # Whatever the goodbye brings, the message was taken, or was not.
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            raise _failure(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPDataError as error:
            raise _failure(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            # A recipient outside ASCII, and a server that knows only ASCII.
            raise MailRefused(_said(error)) from error
        except _SILENCE as error:
            raise MailServerSilent(_said(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            # Also a refused sender: the settings are wrong, not the message, and it
            # must outlive that.
            raise MailServerUnavailable(_said(error)) from error

    def _connect(self) -> smtplib.SMTP:
        server = self._greeted()
        try:
            self._sign_in(server)
        except smtplib.SMTPServerDisconnected:
            server.close()
            raise
        except smtplib.SMTPException as error:
            server.close()
            raise MailServerUnavailable(_said(error)) from error
        return server

    def _greeted(self) -> smtplib.SMTP:
        timeout = self._timeout_seconds
        if self._encrypted:
            return smtplib.SMTP_SSL(
                self._host, self._port, timeout=timeout, context=self._context()
            )
        return smtplib.SMTP(self._host, self._port, timeout=timeout)

    def _sign_in(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        encrypted = self._encrypted
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=self._context())
            encrypted = True
        if not self._user:
            return
        if not encrypted:
            raise smtplib.SMTPException("A password needs TLS, which is not offered.")
        server.login(self._user, self._password)

    def _context(self) -> ssl.SSLContext:
        return self._tls or ssl.create_default_context()


async def _plainly(call: Callable[[], Awaitable[None]], /) -> None:
    await call()


def _said(error: Exception) -> str:
    # Servers like to repeat whom they refuse, and which link they take for spam; this
    # text is kept in clear.
    return fit_for_a_log(one_line(error)) or type(error).__name__


def _failure(code: int, said: bytes | str) -> MailRefused | MailServerUnavailable:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    text = fit_for_a_log(text)
    if code >= _PERMANENT:
        return MailRefused(f"{code} {text}")
    return MailServerUnavailable(f"{code} {text}")
