"""What the shop sells: products, their variants and prices, and categories.

Every read of a product answers with one statement, stock included. Writes are
told as drafts, checked as a whole, and leave a product whole or untouched.
"""

from holdfast.domain.catalog.model import Offer
from holdfast.domain.catalog.store import offers

__all__ = ["Offer", "offers"]
