"""The sealed columns of this module, for sealing them under a newer key."""

from holdfast.platform import sql
from holdfast.platform.resealing import Sealed

_SQL = sql.load("holdfast.domain.customers")
_CUSTOMERS_TO_RESEAL = _SQL["customers_to_reseal"]
_RESEAL_CUSTOMERS = _SQL["reseal_customers"]
_CUSTOMER_ADDRESSES_TO_RESEAL = _SQL["customer_addresses_to_reseal"]
_RESEAL_CUSTOMER_ADDRESSES = _SQL["reseal_customer_addresses"]

SEALED = (
    Sealed("customers", take=_CUSTOMERS_TO_RESEAL, put=_RESEAL_CUSTOMERS),
    Sealed(
        "customer_addresses",
        take=_CUSTOMER_ADDRESSES_TO_RESEAL,
        put=_RESEAL_CUSTOMER_ADDRESSES,
    ),
)
