"""A carrier with a fixed price table that can be told to fail and to lose parcels.

``build(Book(Journal(path, Line)))`` is the ASGI application; without a journal the
book lives as long as the process.
"""

from holdfast.simulators.carrier.app import build
from holdfast.simulators.carrier.book import Book, Line

__all__ = ["Book", "Line", "build"]
