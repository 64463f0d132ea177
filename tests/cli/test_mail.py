"""``holdfast mail`` shows what buyers were told."""

import json

import pytest

from holdfast.domain import notifications
from holdfast.domain.notifications import Message
from holdfast.kernel.ids import new_id


@pytest.fixture
def write(database, vault, clock):
    async def add(subject, *, sent=False):
        message = Message("ada@example.com", subject, "Dear [bold]Ada[/bold],\n")
        async with database.transaction() as tx:
            email = await notifications.add(
                tx, vault, message, event_id=new_id(), at=clock()
            )
            if sent:
                await notifications.mark_sent(tx, email.id, at=clock())
        return email

    return add


class TestMail:
    async def test_lists_the_latest_first(self, holdfast, write):
        first, last = await write("Your order HF-1"), await write("And HF-2", sent=True)

        said = await holdfast("mail")

        header, newer, older = said.out.splitlines()
        assert header.split() == ["id", "written", "to", "subject", "sent"]
        assert newer.split()[0] == f"…{str(last.id)[-8:]}"
        assert "And HF-2" in newer
        assert newer.rstrip().endswith("08:00:00")
        assert older.split()[0] == f"…{str(first.id)[-8:]}"
        assert older.rstrip().endswith("kept here")

    async def test_lists_no_more_than_asked(self, holdfast, write):
        for n in range(3):
            await write(f"Order {n}")

        said = await holdfast("mail", "--limit", "2")

        assert len(said.out.splitlines()) == 3

    async def test_shows_one_in_full_by_the_end_of_its_id(self, holdfast, write):
        email = await write("Your order HF-1")

        said = await holdfast("mail", str(email.id)[-8:])

        assert said.out == (
            "To: ada@example.com\n"
            "Subject: Your order HF-1\n"
            "Date: 2026-11-27T08:00:00.000000Z\n"
            f"Id: {email.id}\n"
            "\n"
            "Dear [bold]Ada[/bold],\n"
            "\n"
        )

    async def test_writes_json_for_programs(self, holdfast, write):
        email = await write("Your order HF-1")

        listed = json.loads((await holdfast("mail", "--json")).out)
        single = json.loads((await holdfast("mail", str(email.id), "--json")).out)

        assert listed == [single]
        assert single == {
            "id": str(email.id),
            "event_id": str(email.event_id),
            "recipient": "ada@example.com",
            "subject": "Your order HF-1",
            "body": "Dear [bold]Ada[/bold],\n",
            "created_at": "2026-11-27T08:00:00.000000Z",
            "sent_at": None,
        }

    async def test_says_when_there_is_none(self, holdfast):
        assert (await holdfast("mail")).out == "The mailbox is empty.\n"

    async def test_says_when_none_is_meant(self, holdfast):
        said = await holdfast("mail", "ffff")

        assert said.code == 1
        assert said.err == "holdfast: There is no such e-mail in the mailbox.\n"

    async def test_says_when_there_is_no_shop(self, holdfast, monkeypatch, tmp_path):
        monkeypatch.delenv("DATABASE_URL")
        monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))

        said = await holdfast("mail")

        assert said.code == 1
        assert said.err.startswith(f"holdfast: No shop runs in {tmp_path}: start it")

    async def test_finds_the_shop_that_runs_here(
        self, holdfast, monkeypatch, tmp_path, database_url
    ):
        monkeypatch.delenv("DATABASE_URL")
        monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
        (tmp_path / "env").write_text(f"DATABASE_URL='{database_url}'\n")

        assert (await holdfast("mail")).out == "The mailbox is empty.\n"
