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
from holdfast.domain.notifications.gateway import Mailer, MailServerSilent
from holdfast.domain.notifications.model import (
    BackInStock,
    Confirmation,
    Email,
    Invitation,
    Letter,
    LetterKind,
    Line,
    LowLine,
    LowStockNotice,
    Message,
    OrderNotice,
    RefundNotice,
    ReturnNotice,
    ReturnNoticeKind,
    ShipmentNotice,
    compose,
)
from holdfast.domain.notifications.store import (
    KEPT,
    SEALED,
    add,
    find,
    forget_old,
    forget_person,
    index_of,
    latest,
    mark_sent,
    of_recipient,
)

__all__ = [
    "KEPT",
    "SEALED",
    "BackInStock",
    "Confirmation",
    "Email",
    "EmailNotFound",
    "Invitation",
    "Letter",
    "LetterKind",
    "Line",
    "LowLine",
    "LowStockNotice",
    "MailRefused",
    "MailServerSilent",
    "MailServerUnavailable",
    "Mailer",
    "Message",
    "OrderNotice",
    "RefundNotice",
    "ReturnNotice",
    "ReturnNoticeKind",
    "ShipmentNotice",
    "add",
    "compose",
    "find",
    "forget_old",
    "forget_person",
    "index_of",
    "latest",
    "mark_sent",
    "of_recipient",
]
