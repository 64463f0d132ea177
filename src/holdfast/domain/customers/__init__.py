"""Who buys: profiles, addresses, preferences.

Promises: names, phone numbers and addresses are sealed wherever they are stored; a
customer has one default address for shipping and one for billing at the most; what a
customer said about marketing is kept with its time and place, and never changed.
"""

from holdfast.domain.customers.addresses import (
    add_address,
    addresses_of,
    change_address,
    find_address,
    remove_address,
)
from holdfast.domain.customers.errors import (
    CustomerAddressInvalid,
    CustomerAddressNotFound,
    CustomerNotFound,
    ProfileInvalid,
    TooManyAddresses,
)
from holdfast.domain.customers.model import (
    MAX_ADDRESSES,
    Address,
    Consent,
    Customer,
    CustomerAddress,
)
from holdfast.domain.customers.postal import checked as check_address
from holdfast.domain.customers.preferences import checked as check_profile
from holdfast.domain.customers.preferences import country_of
from holdfast.domain.customers.sealed import SEALED
from holdfast.domain.customers.store import (
    add,
    agreed,
    browse,
    change,
    erase,
    find,
    find_many,
    lock,
    said,
    say,
)

__all__ = [
    "MAX_ADDRESSES",
    "SEALED",
    "Address",
    "Consent",
    "Customer",
    "CustomerAddress",
    "CustomerAddressInvalid",
    "CustomerAddressNotFound",
    "CustomerNotFound",
    "ProfileInvalid",
    "TooManyAddresses",
    "add",
    "add_address",
    "addresses_of",
    "agreed",
    "browse",
    "change",
    "change_address",
    "check_address",
    "check_profile",
    "country_of",
    "erase",
    "find",
    "find_address",
    "find_many",
    "lock",
    "remove_address",
    "said",
    "say",
]
