"""A dump of the database of a busy shop tells nobody who its customers are."""

import asyncio
import base64
import smtplib
import subprocess
from urllib.parse import quote

import pytest

from holdfast.domain.notifications import Email, MailRefused
from holdfast.kernel.clock import system_clock
from holdfast.platform import jobs
from holdfast.platform.embedded.postgres_build import Build
from holdfast.worker.handlers import Reach
from holdfast.worker.main import Worker

GUEST = "grace.hopper@example.com"
SECRETS = ("Lovelace", "SW1Y 4JH", "JBSWY3DPEHPK3PXP", "ABCD-EFGH", "a tea for two")


class Refusing:
    """A mail server that says to whom it will not deliver, and logs in full."""

    async def send(self, email: Email) -> None:
        try:
            raise smtplib.SMTPRecipientsRefused(
                {email.recipient: (550, f"<{email.recipient}> is unknown".encode())}
            )
        except smtplib.SMTPException as error:
            raise MailRefused(f"550 {email.recipient} is unknown") from error


def spellings(word: str) -> dict[str, str]:
    """How *word* may stand in a dump without standing there, in lower case."""
    found = {"plain": word, "percent": quote(word, safe="")}
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        found[f"hex of {encoding}"] = word.encode(encoding).hex()
    for shift in range(3):
        # The same bytes look different at each third of a group of four letters; the
        # letters at the edges depend on the neighbours.
        text = base64.b64encode(b"\0" * shift + word.encode()).decode().rstrip("=")
        found[f"base64 + {shift}"] = text[4 if shift else 0 : -2]
    return {encoding: spelling.lower() for encoding, spelling in found.items()}


@pytest.fixture
def dump(database_url):
    """Everything in the database, in lower case."""

    def take() -> str:
        done = subprocess.run(  # noqa: S603 - the server's own tool
            [Build.find().bin_dir / "pg_dump", "--no-owner", database_url],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.lower()

    return take


@pytest.fixture
def refuse_all_mail(database, vault, database_url, promised):
    """Let a worker write the e-mails that wait, and a mail server refuse them."""

    async def run(jobs_refused):
        stop = asyncio.Event()
        reach = Reach(database, vault, Refusing(), system_clock)
        working = asyncio.create_task(Worker(database_url, reach).run(stop))

        async def refused():
            # At some times of the day other jobs want what this worker lacks.
            return (await jobs.backlog(database)).failed >= jobs_refused

        await promised(refused)
        stop.set()
        await working

    return run


class TestDump:
    @pytest.mark.slow
    async def test_names_nobody_in_any_spelling(
        self, a_life, buy, refuse_all_mail, dump
    ):
        life = await a_life("Adaline")
        await buy(email=GUEST)
        await refuse_all_mail(1)

        dumped = dump()

        told = [
            f"{word} ({encoding})"
            for word in (*life.words, *SECRETS, GUEST)
            for encoding, spelling in spellings(word).items()
            if spelling in dumped
        ]
        assert told == []
        # What is no secret is there: the dump is of the shop that was lived in.
        assert str(life.account_id) in dumped
        assert all(order in dumped for order in life.orders)
        assert "is unknown" in dumped

    @pytest.mark.parametrize("table", ["carts", "orders", "emails"])
    async def test_of_what_an_older_release_left_names_people_until_it_is_sealed(
        self, database, buy, dump, table
    ):
        await buy(email=GUEST)
        if table == "emails":
            await database.fetch(
                "INSERT INTO emails "
                "(id, event_id, recipient, subject, body, created_at)"
                " VALUES (uuidv7(), uuidv7(), $1, '', '', now())",
                GUEST,
            )
        else:
            await database.fetch(f"UPDATE {table} SET email = $1", GUEST)  # noqa: S608

        assert spellings(GUEST)["plain"] in dump()


class TestSpellings:
    @pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
    def test_find_a_word_wherever_it_stands(self, before):
        text = f"{before}{GUEST} and more"
        known = spellings(GUEST)

        assert known["hex of utf-8"] in text.encode().hex()
        assert any(
            known[f"base64 + {shift}"]
            in base64.b64encode(text.encode()).decode().lower()
            for shift in range(3)
        )
