"""A client's address is what a trusted proxy saw, whatever the client says."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.api.binding import origin_of
from holdfast.api.protection.addresses import Addresses, plain
from holdfast.platform.proxies import read

CLIENT = "203.0.113.7"
PROXY = "10.0.0.5"
PROXIES = "10.0.0.0/8 2001:db8:aaaa::/48"


def believed(*fields, peer=PROXY, proxies=PROXIES):
    headers = [(b"host", b"x"), *((b"x-forwarded-for", f.encode()) for f in fields)]
    trusted, faults = read(proxies)
    assert faults == []
    return Addresses(trusted).of((peer, 1) if peer else None, headers)


class TestWithoutProxies:
    def test_is_the_address_of_the_connection(self):
        assert believed("192.0.2.1", peer=CLIENT, proxies="") == CLIENT

    def test_nobody_can_claim_another(self):
        for peer in ("127.0.0.1", "10.0.0.5", "::1"):
            assert believed("192.0.2.1", peer=peer, proxies="") == peer

    def test_of_a_mapped_address_is_what_it_maps(self):
        assert believed(peer="::ffff:203.0.113.7", proxies="") == CLIENT

    def test_is_none_for_a_local_socket(self):
        assert believed("192.0.2.1", peer=None, proxies="") is None

    def test_is_a_name_as_it_is(self):
        assert believed(peer="testclient", proxies="") == "testclient"


class TestBehindAProxy:
    def test_is_what_the_proxy_saw(self):
        assert believed(CLIENT) == CLIENT

    def test_is_never_what_the_client_wrote(self):
        assert believed(f"192.0.2.1, {CLIENT}") == CLIENT
        assert believed(f"192.0.2.1,{PROXY}, {CLIENT}") == CLIENT

    def test_is_found_behind_several(self):
        assert believed(f"192.0.2.1, {CLIENT}, 10.9.9.9, 10.1.1.1") == CLIENT

    def test_is_the_connection_of_who_is_no_proxy(self):
        assert believed("192.0.2.1", peer=CLIENT) == CLIENT
        assert believed("192.0.2.1", peer="testclient") == "testclient"
        assert believed("192.0.2.1", peer=None) is None

    def test_is_read_from_several_fields_as_one(self):
        assert believed("192.0.2.1", CLIENT) == CLIENT
        assert believed("192.0.2.1", CLIENT, "10.1.1.1") == CLIENT

    def test_is_the_first_of_proxies_that_call_themselves(self):
        assert believed("10.2.2.2, 10.1.1.1") == "10.2.2.2"

    def test_is_the_proxy_where_it_says_nothing(self):
        assert believed() == PROXY
        assert believed("") == PROXY

    @pytest.mark.parametrize(
        ("said", "address"),
        [
            ("203.0.113.7:4711", CLIENT),
            ("::ffff:203.0.113.7", CLIENT),
            ("[2001:DB8::0:7]:4711", "2001:db8::7"),
            ("2001:db8::7%eth1", "2001:db8::7"),
            (" \t203.0.113.7 ", CLIENT),
        ],
    )
    def test_is_the_same_however_it_is_spelt(self, said, address):
        assert believed(f"192.0.2.1, {said}") == address

    def test_knows_a_proxy_by_its_other_spelling(self):
        assert believed(CLIENT, peer="::ffff:10.0.0.5") == CLIENT
        assert believed(f"{CLIENT}, 2001:db8:AAAA::1") == CLIENT

    @pytest.mark.parametrize("odd", ["unknown", "_x", "", "1.2.3", "é", "1" * 300])
    def test_ends_at_what_is_no_address(self, odd):
        assert believed(f"{CLIENT}, {odd}") == PROXY
        assert believed(f"{CLIENT}, {odd}, 10.1.1.1") == "10.1.1.1"

    def test_a_field_of_commas_costs_no_more_than_a_few(self):
        assert believed("," * 60_000) == PROXY
        assert believed(CLIENT + ",10.1.1.1" * 5_000) == "10.1.1.1"

    def test_forwarded_is_not_read(self):
        headers = [(b"forwarded", b"for=192.0.2.1"), (b"x-real-ip", b"192.0.2.1")]
        addresses = Addresses(read(PROXIES)[0])

        assert addresses.of((PROXY, 1), headers) == PROXY

    def test_comes_by_a_local_socket_where_that_is_trusted(self):
        assert believed(CLIENT, peer=None, proxies="unix") == CLIENT
        assert believed(peer=None, proxies="unix") is None

    @given(st.text(max_size=60), st.ip_addresses())
    def test_whatever_a_client_sends_the_proxy_is_believed(self, forged, seen):
        proxies, _ = read(PROXIES)
        honest = plain(str(seen))
        if proxies.trusts(ipaddress.ip_address(honest)):
            return
        field = f"{forged}, {seen}".encode()

        found = Addresses(proxies).of((PROXY, 1), [(b"x-forwarded-for", field)])

        assert found == honest


async def where(origin):
    return {"address": origin.address}


class TestEverywhere:
    @pytest.fixture
    def site(self, edge, route):
        return edge(
            route("GET", "/v1/where", where), HOLDFAST_TRUSTED_PROXIES="127.0.0.1"
        )

    async def test_handlers_and_the_access_log_say_the_same(self, site):
        said = {"X-Forwarded-For": f"192.0.2.1, {CLIENT}"}

        answer = await site.client.get("/v1/where", headers=said)

        assert answer.json() == {"address": CLIENT}
        assert site.logged[0]["client"] == CLIENT

    async def test_the_log_of_what_is_nowhere_says_it_too(self, site):
        await site.client.get("/nowhere", headers={"X-Forwarded-For": CLIENT})

        assert site.logged[0]["client"] == CLIENT

    async def test_nothing_but_the_layer_is_asked(self):
        scope = {"headers": [], "client": (PROXY, 1)}

        assert origin_of(scope).address is None
