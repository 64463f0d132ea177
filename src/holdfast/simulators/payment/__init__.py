"""A payment provider that remembers what it charged and can be told to fail.

``build(Ledger(Journal(path)))`` is the ASGI application; without a journal the
ledger lives as long as the process.
"""

from holdfast.simulators.payment.app import build
from holdfast.simulators.payment.journal import Journal, JournalUnusable
from holdfast.simulators.payment.ledger import Ledger

__all__ = ["Journal", "JournalUnusable", "Ledger", "build"]
