"""What the shop sells: products, their variants and prices, and categories.

Every read of a product answers with one statement, stock included. Writes are
told as drafts, checked as a whole, and leave a product whole or untouched;
``project`` comes last in a write and shows readers the result.
"""

from holdfast.domain.catalog.csv_rows import UnusableFile
from holdfast.domain.catalog.documents import (
    Document,
    Reader,
    Sheet,
    page,
    read_by_id,
    search,
)
from holdfast.domain.catalog.drafts import (
    Draft,
    NewCategory,
    VariantDraft,
    draft_of,
    faults,
)
from holdfast.domain.catalog.errors import (
    CategoryInvalid,
    CategoryNotFound,
    DuplicateHandle,
    DuplicateSku,
    Fault,
    ProductChanged,
    ProductInvalid,
    ProductNotFound,
)
from holdfast.domain.catalog.model import (
    STATUSES,
    Category,
    Image,
    Offer,
    Option,
    Product,
    Status,
    Variant,
    Versions,
    is_handle,
    slugify,
)
from holdfast.domain.catalog.shopify import Arrival, RowFault, read_shopify
from holdfast.domain.catalog.store import (
    Entry,
    add,
    add_categories,
    categories,
    change,
    find_category,
    imported,
    lock,
    lock_one,
    offers,
    project,
)

__all__ = [
    "STATUSES",
    "Arrival",
    "Category",
    "CategoryInvalid",
    "CategoryNotFound",
    "Document",
    "Draft",
    "DuplicateHandle",
    "DuplicateSku",
    "Entry",
    "Fault",
    "Image",
    "NewCategory",
    "Offer",
    "Option",
    "Product",
    "ProductChanged",
    "ProductInvalid",
    "ProductNotFound",
    "Reader",
    "RowFault",
    "Sheet",
    "Status",
    "UnusableFile",
    "Variant",
    "VariantDraft",
    "Versions",
    "add",
    "add_categories",
    "categories",
    "change",
    "draft_of",
    "faults",
    "find_category",
    "imported",
    "is_handle",
    "lock",
    "lock_one",
    "offers",
    "page",
    "project",
    "read_by_id",
    "read_shopify",
    "search",
    "slugify",
]
