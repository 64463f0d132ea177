"""A payment provider that remembers what it charged and can be told to fail.

``build(Ledger(Journal(path, Line)))`` is the ASGI application; without a journal
the ledger lives as long as the process.
"""

from holdfast.simulators.payment.app import build
from holdfast.simulators.payment.ledger import Ledger, Line

__all__ = ["Ledger", "Line", "build"]
