"""What is kept of a request with a key cannot be guessed against.

Of passwords and addresses there are few enough to try them all. Whoever has a dump of
the database, and this source, must not be able to tell a right guess from a wrong one.
"""

import hashlib
import hmac

import pytest
from keyed_world import PASSWORD

from holdfast.api import keyed as handlers_own
from holdfast.platform import idempotency

NEW_PASSWORD = "an analytical engine"


@pytest.fixture
def digests(monkeypatch):
    """What anybody can compute who guesses the whole request right."""
    computed = []
    real = idempotency.claim_of

    def noting(vault, identity, digest, **rest):
        computed.append(digest)
        return real(vault, identity, digest, **rest)

    monkeypatch.setattr(idempotency, "claim_of", noting)
    monkeypatch.setattr(handlers_own, "claim_of", noting)
    return computed


@pytest.fixture
def kept(database):
    """The fingerprints in the database, by route."""

    async def read():
        rows = await database.fetch(
            "SELECT caller, route, key, fingerprint FROM idempotency_keys"
        )
        return {row["route"]: row for row in rows}

    return read


def told_by(digest, row):
    """All that a guesser can make of *digest* with what stands beside it."""
    identity = [row["caller"], row["route"], row["key"]]
    spellings = (digest, digest.hex().encode())
    places = ["", *identity, "\n".join(identity)]
    found = set(spellings)
    for said in spellings:
        for place in map(str.encode, places):
            for algorithm in ("sha256", "sha512", "md5"):
                found.add(hashlib.new(algorithm, place + b"\n" + said).digest())
                found.add(hmac.new(place, said, algorithm).digest())
    joined = "\n".join((*identity, digest.hex())).encode()
    return found | {hashlib.sha256(joined).digest()}


class TestFingerprints:
    async def test_of_a_sign_in_and_a_password_tell_no_guesser_when_they_are_right(
        self, keyed, world, digests, kept, a_key
    ):
        mine = world.member.headers
        signing_in = await world.signing_in()
        change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

        entered = await keyed("/v1/sessions", signing_in, key=a_key(), by={})
        changed = await keyed(
            "/v1/me/password", change, key=a_key(), by=mine, method="PUT"
        )

        assert (entered.status_code, changed.status_code) == (201, 204)
        rows = await kept()
        assert {"POST /v1/sessions", "PUT /v1/me/password"} <= set(rows)
        assert len(digests) >= 2
        for row in rows.values():
            for digest in digests:
                assert row["fingerprint"] not in told_by(digest, row)

    async def test_of_a_handlers_own_claim_are_keyed_as_well(
        self, world, digests, kept
    ):
        await world.order()

        rows = await kept()
        (checkout,) = (row for route, row in rows.items() if "checkout" in route)
        assert checkout["fingerprint"] not in {
            told for digest in digests for told in told_by(digest, checkout)
        }

    async def test_of_equal_bodies_are_not_equal(self, keyed, database, a_key):
        for _ in range(2):
            await keyed("/v1/carts", {}, key=a_key())

        found = await database.fetch("SELECT fingerprint FROM idempotency_keys")
        assert len(found) == len({row["fingerprint"] for row in found}) == 2


class TestKeysFromBefore:
    @pytest.fixture
    async def from_before(self, keyed, digests, database):
        """A request that an earlier release answered, which kept its plain digest."""
        first = await keyed()
        await database.fetch(
            "UPDATE idempotency_keys SET fingerprint = $1", digests[-1]
        )
        return first

    async def test_are_answered_again(self, keyed, from_before):
        again = await keyed()

        assert again.headers["idempotent-replayed"] == "true"
        assert again.content == from_before.content

    async def test_still_stand_for_one_request(self, keyed, from_before):
        other = await keyed(body={"name": "Black tea"})

        assert other.status_code == 422
        assert other.json()["type"] == "/problems/idempotency-key-reused"
