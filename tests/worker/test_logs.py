"""What the worker writes and sends, in any line of its log."""

import asyncio
import re
from email import message_from_bytes
from email.policy import default

import pytest
from structlog.testing import capture_logs

from holdfast.domain.identity import Origin
from holdfast.domain.notifications import Mailer, MailRefused
from holdfast.platform import outbox
from holdfast.platform.jobs import Job
from holdfast.worker.handlers import TASKS, Handler, Reach
from holdfast.worker.metrics import Metrics
from holdfast.workflows import account_mail
from holdfast.workflows.roles import Giver
from holdfast.workflows.users import Users

ADA = "ada@example.com"
TOKEN = re.compile(r"hfm_[\w-]{49}")


class Talkative:
    """A mail server that says no to every letter, and why: it repeats all of it."""

    def __init__(self):
        self.letters = []
        self.port = 0

    async def talk(self, reader, writer):
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go ahead\r\n")
                text = await reader.readuntil(b"\r\n.\r\n")
                letter = message_from_bytes(text[:-5], policy=default)
                said = letter.get_content()
                self.letters.append(said)
                answer = f"554 {letter['To']} looks like spam: " + " ".join(
                    said.split()
                )
                writer.write(answer.encode() + b"\r\n")
            else:
                writer.write(b"250 fine\r\n")
            if line.upper().startswith(b"QUIT"):
                break
        writer.close()


@pytest.fixture
async def server():
    script = Talkative()
    serving = await asyncio.start_server(script.talk, "127.0.0.1", 0)
    script.port = serving.sockets[0].getsockname()[1]
    async with serving:
        yield script


@pytest.fixture
def handler(database, vault, clock, server):
    mailer = Mailer(f"smtp://127.0.0.1:{server.port}", sender="shop@holdfast.example")
    reach = Reach(db=database, vault=vault, mailer=mailer, clock=clock)
    return Handler(reach, Metrics(), TASKS)


@pytest.fixture
async def asked(database, vault, clock):
    """Jobs of the letters that hold a link: to choose a password, and to confirm."""
    account = await Users(database, vault, clock).create(ADA, [], Giver())
    async with database.transaction() as tx:
        await account_mail.ask(
            tx, vault, "sign_up", "bob@example.com", origin=Origin(), at=clock()
        )
        await account_mail.ask(
            *(tx, vault, "email_change", "eve@example.com"),
            account_id=account.id,
            origin=Origin(),
            at=clock(),
        )
        events = await outbox.take_waiting(tx, 100, at=clock())
    return [
        Job("send_account_mail", event.id, event.type, event.payload)
        for event in events
    ]


class TestLogs:
    async def test_hold_no_token_that_a_mail_server_repeats(
        self, handler, asked, server
    ):
        with capture_logs() as lines:
            for job in asked:
                with pytest.raises(MailRefused, match="554"):
                    await handler(job)

        tokens = [token for said in server.letters for token in TOKEN.findall(said)]
        assert len(tokens) == len(asked) == 3
        assert [line["event"] for line in lines] == ["task_failed"] * 3
        assert [t for t in (*tokens, ADA) if t in str(lines)] == []
