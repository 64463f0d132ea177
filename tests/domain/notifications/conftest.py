"""A mail server that says what it is told to say."""

import asyncio
import shutil
import ssl
import subprocess
from email import message_from_bytes
from email.policy import default

import pytest

from holdfast.domain.notifications import Confirmation, Line
from holdfast.kernel.money import Money


class ScriptedServer:
    """Speaks SMTP; *answers* replace its own, *messages* is what it was given."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.extensions = ["8BITMIME", "SMTPUTF8"]
        self.heard: list[str] = []
        self.messages = []
        self.port = 0
        self.tls: ssl.SSLContext | None = None

    async def talk(self, reader, writer):
        own = {
            "EHLO": lambda: "\r\n".join(
                [f"250-{name}" for name in ("here", *self.extensions)] + ["250 HELP"]
            ),
            "STARTTLS": lambda: "220 go ahead",
            "AUTH": lambda: "235 welcome",
            "DATA": lambda: "354 go ahead",
            "QUIT": lambda: "221 bye",
        }
        writer.write(self.answers.get("connect", "220 ready").encode() + b"\r\n")
        verb = ""
        while verb != "QUIT" and (line := await reader.readline()):
            self.heard.append(line.decode().strip())
            verb = self.heard[-1].split()[0].upper()
            answer = self.answers.get(verb) or own.get(verb, lambda: "250 fine")()
            if answer == "hang up":
                break
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
            if verb == "STARTTLS":
                await writer.start_tls(self.tls)
                self.extensions.remove("STARTTLS")
            elif verb == "DATA":
                await self.take(reader, writer)
        writer.close()

    async def take(self, reader, writer):
        text = await reader.readuntil(b"\r\n.\r\n")
        self.messages.append(message_from_bytes(text[:-5], policy=default))
        writer.write(self.answers.get("message", "250 taken").encode() + b"\r\n")


@pytest.fixture
async def smtp():
    script = ScriptedServer()
    server = await asyncio.start_server(script.talk, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    async with server:
        yield script


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate, and is not here")
    subprocess.run(  # noqa: S603 - our own command line
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=test"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", key, "-out", chain),
        ],
        check=True,
        capture_output=True,
    )
    return chain, key


@pytest.fixture
def confirmation(clock):
    def build(**changes):
        return Confirmation(
            **{
                "number": "HF-1001",
                "recipient": "ada@example.com",
                "placed_at": clock(),
                "lines": [Line("Assam", "TEA-1", 2, Money(1998, "EUR"))],
                "subtotal": Money(1998, "EUR"),
                "shipping_method": "standard",
                "shipping_total": Money(490, "EUR"),
                "total": Money(2488, "EUR"),
                "address": ["Ada Lovelace", "12 Main St", "", "N1 London", "GB"],
            }
            | changes
        )

    return build
