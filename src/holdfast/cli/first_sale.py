"""A shop seen from outside, as far as its first sale needs it.

``holdfast up`` asks the API it has just started whether the operator's key opens
it and what there is to sell, and prints three lines that buy it.
"""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from holdfast.platform.embedded import CannotStart, write_private

_SECONDS = 5.0


class Shop:
    """A running API, and the file that holds the operator's key."""

    def __init__(self, url: str, key_file: Path) -> None:
        self.url = url
        self._key_file = key_file

    @property
    def operator_key(self) -> str:
        """The kept key; empty when there is none yet."""
        try:
            return self._key_file.read_text().strip()
        except FileNotFoundError:
            return ""

    def keep_operator_key(self, said: str) -> None:
        """Find the key in what ``holdfast keys create`` wrote, and keep it."""
        found = re.search(r"\bhfk_[\w-]+", said)
        if found is None:
            raise CannotStart("holdfast keys create gave no key.")
        # Not rewritten in place: its mode must be right before it holds a key.
        self._key_file.unlink(missing_ok=True)
        write_private(self._key_file, found[0])

    def admits_operator(self) -> bool:
        """Whether the kept key opens this shop; another database has other keys."""
        key = self.operator_key
        return bool(key) and self._get("/v1/api-keys?limit=1") is not None

    def is_empty(self) -> bool:
        """Whether it has no product at all, not even a hidden one."""
        page = self._get("/v1/products?limit=1")
        return page is not None and not page["items"]

    def something_to_buy(self) -> str:
        """The SKU of a variant that is on sale and in stock; empty if none is."""
        page = self._get("/v1/products?limit=100&status=active") or {"items": []}
        for product in page["items"]:
            for variant in product["variants"]:
                if variant["available"] > 0:
                    return str(variant["sku"])
        return ""

    def _get(self, path: str) -> dict[str, Any] | None:
        request = urllib.request.Request(self.url + path)  # noqa: S310 - our own API
        request.add_header("Authorization", f"Bearer {self.operator_key}")
        # Proxies are for elsewhere.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_SECONDS) as answer:
                body: dict[str, Any] = json.load(answer)
                return body
        except (OSError, ValueError, urllib.error.HTTPError):
            return None


def three_calls(shop: Shop) -> list[str]:
    """Lines to paste into a shell: a cart, its checkout, the order."""
    sku = shop.something_to_buy()
    if not sku:
        return []
    cart = {
        "email": "ada@example.com",
        "lines": [{"sku": sku, "quantity": 1}],
        "shipping_address": {
            "name": "Ada Example",
            "line1": "1 Sample Street",
            "city": "Berlin",
            "postal_code": "10115",
            "country": "DE",
        },
        "shipping_method": "standard",
    }
    body = json.dumps(cart).replace("'", "'\\''")
    as_json = "-H 'Content-Type: application/json'"
    bearer = '-H "Authorization: Bearer $(get token "$CART")"'
    pick = "import json, sys; print(json.load(sys.stdin)[sys.argv[1]])"
    get = f'get() {{ printf %s "$2" | python3 -c \'{pick}\' "$1"; }}'
    make = f"CART=$(curl -sS {shop.url}/v1/carts {as_json} -d '{body}')"
    pay = " ".join(
        (
            f'ORDER=$(curl -sS {shop.url}/v1/carts/$(get id "$CART")/checkout',
            f'{as_json} {bearer} -H "Idempotency-Key: pay-$(get id "$CART")"',
            '-d \'{"payment_method": "pm_card_ok"}\')',
        )
    )
    return [
        f'{get}; {make}; echo "$CART"',
        f'{pay}; echo "$ORDER"',
        f'curl -sS {shop.url}/v1/orders/$(get id "$ORDER") {bearer}; echo',
    ]
