import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.asgi import network_of


class TestNetworkOf:
    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("testclient", "testclient"),
            ("", "unknown"),
        ],
    )
    def test_is_what_one_customer_has(self, address, network):
        assert network_of({"client": (address, 40_000)}) == network

    @pytest.mark.parametrize("scope", [{}, {"client": None}], ids=["none", "a socket"])
    def test_is_known_even_if_nobody_says(self, scope):
        assert network_of(scope) == "unknown"

    @given(st.text(max_size=60))
    def test_never_fails(self, address):
        assert network_of({"client": (address, 1)})

    def test_is_not_what_a_client_writes(self):
        scope = {
            "client": ("192.0.2.7", 1),
            "headers": [(b"x-forwarded-for", b"198.51.100.9")],
        }

        assert network_of(scope) == "192.0.2.7"
