"""E-mails to buyers: written once for each event, sent by SMTP or kept here.

Promises: an event writes one e-mail, however often its job runs; no text of a
buyer or of the catalogue can add a header, a recipient or a line of its own.
Without a mail server the rows are the mailbox: ``holdfast mail`` shows them.
"""

from holdfast.domain.notifications.errors import (
    EmailNotFound,
    MailRefused,
    MailServerUnavailable,
)
from holdfast.domain.notifications.gateway import Mailer
from holdfast.domain.notifications.model import (
    Confirmation,
    Email,
    Line,
    Message,
    compose,
)
from holdfast.domain.notifications.store import add, find, latest, mark_sent

__all__ = [
    "Confirmation",
    "Email",
    "EmailNotFound",
    "Line",
    "MailRefused",
    "MailServerUnavailable",
    "Mailer",
    "Message",
    "add",
    "compose",
    "find",
    "latest",
    "mark_sent",
]
