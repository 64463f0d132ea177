"""Whom to believe is read as it was meant, and never as everybody."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.platform.proxies import NONE, is_quad, read, read_ip
from holdfast.platform.settings import BadSettings, Settings

ip = ipaddress.ip_address


class TestRead:
    def test_takes_addresses_and_networks_of_both_versions(self):
        trusted, faults = read("10.0.0.5, 192.168.0.0/16 2001:db8::/32,\n unix")

        assert faults == []
        assert trusted.local_socket
        for inside in ("10.0.0.5", "192.168.3.4", "2001:db8::9"):
            assert trusted.trusts(ip(inside))
        for outside in ("10.0.0.6", "192.169.0.0", "2001:db9::9", "::10.0.0.5"):
            assert not trusted.trusts(ip(outside))

    def test_takes_a_network_of_mapped_addresses_for_what_it_maps(self):
        trusted, _ = read("::ffff:10.0.0.0/104 ::ffff:192.0.2.1")

        assert trusted.trusts(ip("10.9.9.9"))
        assert trusted.trusts(ip("192.0.2.1"))
        assert not trusted.trusts(ip("11.0.0.0"))

    @pytest.mark.parametrize("nothing", ["", " ", " ,, \n"])
    def test_of_nothing_trusts_nobody(self, nothing):
        assert read(nothing) == (NONE, [])
        assert not NONE
        assert not NONE.trusts(ip("127.0.0.1"))

    @pytest.mark.parametrize(
        ("said", "fault"),
        [
            ("10.0.0.1/8", "'10.0.0.1/8' is none of these"),
            ("proxy.example", "'proxy.example' is none of these"),
            ("*", "'*' is none of these"),
            ("0.0.0.0/0", "everybody could be anybody"),
            ("::/0", "everybody could be anybody"),
        ],
    )
    def test_refuses_what_is_no_network_or_every_one(self, said, fault):
        assert fault in read(said)[1][0]

    def test_says_every_fault_at_once(self):
        assert len(read("a 10.0.0.1 b ::/0")[1]) == 3


class TestSetting:
    def test_is_shown_as_it_was_set(self):
        said = "10.0.0.0/8 2001:db8::1/128 unix"
        settings = Settings.read({"HOLDFAST_TRUSTED_PROXIES": said})

        assert str(settings.trusted_proxies) == said
        assert str(NONE) == ""

    def test_is_nobody_by_default(self):
        assert Settings.read({}).trusted_proxies == NONE

    def test_is_refused_by_its_name(self):
        with pytest.raises(BadSettings, match=r"^HOLDFAST_TRUSTED_PROXIES must be"):
            Settings.read({"HOLDFAST_TRUSTED_PROXIES": "everybody"})


class TestQuads:
    """The quick way for IPv4 says what the long one says."""

    @given(st.ip_addresses(v=4))
    def test_are_trusted_as_addresses_are(self, address):
        proxies, _ = read("10.0.0.0/8 192.0.2.0/25 198.51.100.7 2001:db8::/32")

        assert is_quad(str(address))
        assert proxies.trusts_quad(str(address)) == proxies.trusts(address)

    @given(st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){2,4}", fullmatch=True))
    def test_are_addresses_in_their_one_spelling(self, text):
        address = read_ip(text)

        assert bool(is_quad(text)) == (address is not None and str(address) == text)


class TestReadIp:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1\t", "192.0.2.1"),
            ("192.0.2.1:443", "192.0.2.1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:65535", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:80", "fe80::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:c000:201]:80", "192.0.2.1"),
        ],
    )
    def test_gives_an_address_its_one_spelling(self, text, address):
        assert str(read_ip(text)) == address

    @pytest.mark.parametrize(
        "text",
        [
            *("", "unknown", "_hidden", "-", "192.0.2", "192.0.2.256", "1.2.3.4.5"),
            *("192.0.2.1:", "192.0.2.1:http", "192.0.2.1:123456", "192.0.2.1 1.2.3.4"),
            *("[2001:db8::1", "2001:db8::1]", "[2001:db8::1]80", "[2001:db8::1]:"),
            *("[]", "[]:80", ":80", ":::", "1::2::3", "01.02.03.04", "0x7f.1", "%eth0"),
            *("192.0.2.1\x00", "\u0661.1.1.1", "1" * 200, "fe80::1%" + "z" * 200),
        ],
    )
    def test_is_none_of_what_is_no_address(self, text):
        assert read_ip(text) is None

    @given(st.ip_addresses())
    def test_reads_whatever_is_one(self, address):
        mapped = getattr(address, "ipv4_mapped", None) or address
        port = f"[{address}]:1" if address.version == 6 else f"{address}:1"

        assert read_ip(str(address)) == read_ip(port) == mapped

    @given(st.text(max_size=90))
    def test_takes_any_text(self, text):
        read_ip(text)
