"""An answer that only who has the key can open."""

import pytest

from holdfast.platform import key_seal
from holdfast.platform.key_seal import WrongKey

KEY, PLACE = "8e03978e-40d5-43dd-bc93-6894a57f9324", "idempotency_keys.body:ann"
PLAIN = b'{"token":"hfk_..."}'


class TestSeal:
    def test_opens_to_its_key_at_its_place(self):
        sealed = key_seal.seal(KEY, PLAIN, place=PLACE)

        assert key_seal.unseal(KEY, sealed, place=PLACE) == PLAIN
        assert b"hfk_" not in sealed

    def test_is_never_twice_the_same(self):
        once, twice = (key_seal.seal(KEY, PLAIN, place=PLACE) for _ in range(2))

        assert once != twice

    @pytest.mark.parametrize(
        ("key", "place"), [(KEY[:-1] + "5", PLACE), (KEY, PLACE + "e")]
    )
    def test_opens_to_no_other(self, key, place):
        sealed = key_seal.seal(KEY, PLAIN, place=PLACE)

        with pytest.raises(WrongKey):
            key_seal.unseal(key, sealed, place=place)

    @pytest.mark.parametrize("spoilt", [b"", b"short", b"x" * 64])
    def test_what_is_spoilt_does_not_open(self, spoilt):
        with pytest.raises(WrongKey):
            key_seal.unseal(KEY, spoilt, place=PLACE)
