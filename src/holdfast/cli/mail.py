"""``holdfast mail``: the mailbox of a shop, as a list or one e-mail in full."""

import asyncio
import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.running import settings_of_running_shop
from holdfast.domain import notifications
from holdfast.domain.notifications import Email
from holdfast.kernel.clock import rfc3339, system_clock
from holdfast.platform.data_keys import open_vault
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret, Settings

# The end of an id is its random part; the beginning is the time, the same for all
# that were written together.
_SHOWN = 8


def run(ending: str | None, *, limit: int, as_json: bool) -> None:
    """Show the mailbox of the running shop.

    Raises ``NotRunning``, ``EmailNotFound``, ``DatabaseUnavailable`` or
    ``WrappingKeyWrong``.
    """
    settings = settings_of_running_shop()
    emails = asyncio.run(_read(settings, ending, limit))
    # Long lines stay whole: a mail is read, copied and piped, not laid out.
    console = Console(soft_wrap=True, highlight=False)
    if as_json:
        listed = [_as_json(email) for email in emails]
        print(json.dumps(listed if ending is None else listed[0], ensure_ascii=False))
    elif ending is not None:
        console.print(_whole(emails[0]))
    elif emails:
        Console(highlight=False).print(_list(emails))
    else:
        console.print("The mailbox is empty.")


async def _read(settings: Settings, ending: str | None, limit: int) -> list[Email]:
    db = await Database.connect(settings.database_url or Secret(""), size=1)
    try:
        vault = await open_vault(db, settings.data_key, clock=system_clock)
        if ending is None:
            return await notifications.latest(db, vault, limit=limit)
        return [await notifications.find(db, vault, ending)]
    finally:
        await db.close()


def _list(emails: list[Email]) -> Table:
    table = Table("id", "written", "to", "subject", "sent", box=None, pad_edge=False)
    for email in emails:
        table.add_row(
            f"…{str(email.id)[-_SHOWN:]}",
            f"{email.created_at:%Y-%m-%d %H:%M:%S}",
            Text(email.recipient),
            Text(email.subject),
            f"{email.sent_at:%H:%M:%S}" if email.sent_at else "kept here",
        )
    return table


def _whole(email: Email) -> Text:
    # Text, not markup: square brackets in an e-mail are the buyer's.
    return Text(
        f"To: {email.recipient}\n"
        f"Subject: {email.subject}\n"
        f"Date: {rfc3339(email.created_at)}\n"
        f"Id: {email.id}\n\n"
        f"{email.body}"
    )


def _as_json(email: Email) -> dict[str, Any]:
    return {
        "id": str(email.id),
        "event_id": str(email.event_id),
        "recipient": email.recipient,
        "subject": email.subject,
        "body": email.body,
        "created_at": rfc3339(email.created_at),
        "sent_at": None if email.sent_at is None else rfc3339(email.sent_at),
    }
