"""The address of the next page."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from holdfast.api.listing import listing, listing_of_json
from holdfast.kernel.page import Page


def link(path, **query):
    headers = listing(Page([], "next"), path, **query).headers
    assert headers == listing_of_json("", "next", path, **query).headers
    address, _, rest = headers["Link"].removeprefix("<").partition(">")
    assert rest == '; rel="next"'
    return address


class TestLink:
    @pytest.mark.parametrize(
        "handle", ["\u043f\u043e\u0434\u0430\u0440\u043a\u0438", "\u7dd1\u8336-200-g"]
    )
    def test_is_written_in_letters_that_a_header_has(self, handle):
        address = link(f"/v1/collections/{handle}/products")

        assert address.isascii()
        assert unquote(urlsplit(address).path) == f"/v1/collections/{handle}/products"

    def test_cannot_be_ended_by_what_is_in_it(self):
        assert (
            link('/v1/a>; rel="x"\r\nb')
            == "/v1/a%3E%3B%20rel%3D%22x%22%0D%0Ab?after=next"
        )

    def test_leaves_what_is_quoted_already(self):
        assert link("/v1/inventory/A%2FB%20%25/movements") == (
            "/v1/inventory/A%2FB%20%25/movements?after=next"
        )

    def test_asks_for_the_same_again(self):
        address = link("/v1/search", q="\u0447\u0430\u0439 & tea", limit=20, sort=None)

        assert dict(parse_qsl(urlsplit(address).query)) == {
            "q": "\u0447\u0430\u0439 & tea",
            "after": "next",
        }
