"""A sealed value opens where it was sealed and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.platform.vault import PREFIX_BYTES, CannotOpen, Vault, VaultLocked

PLACE = "orders:1"


@pytest.fixture(scope="module")
def vault():
    return Vault.fresh()


class TestSeal:
    @given(st.binary(), st.text(alphabet=st.characters(codec="utf-8")))
    def test_opens_what_was_sealed_there(self, vault, plain, place):
        assert vault.open(vault.seal(plain, place=place), place=place) == plain

    @pytest.mark.parametrize("elsewhere", ["orders:2", "carts:1", "", "orders:1 "])
    def test_a_value_moved_to_another_row_does_not_open(self, vault, elsewhere):
        sealed = vault.seal(b"Ada", place=PLACE)

        with pytest.raises(CannotOpen):
            vault.open(sealed, place=elsewhere)

    def test_a_value_that_was_changed_does_not_open(self, vault):
        sealed = vault.seal(b"Ada", place=PLACE)

        for at in range(len(sealed)):
            broken = bytearray(sealed)
            broken[at] ^= 1
            with pytest.raises(CannotOpen):
                vault.open(bytes(broken), place=PLACE)

    @pytest.mark.parametrize("garbage", [b"", b"\x01", b'{"email": "ada@example.com"}'])
    def test_what_was_never_sealed_does_not_open(self, vault, garbage):
        with pytest.raises(CannotOpen):
            vault.open(garbage, place=PLACE)

    def test_another_shops_vault_does_not_open_it(self, vault):
        with pytest.raises(CannotOpen):
            Vault.fresh().open(vault.seal(b"Ada", place=PLACE), place=PLACE)

    def test_a_refusal_says_where_and_not_what(self, vault):
        with pytest.raises(CannotOpen) as refusal:
            vault.open(b"ada@example.com", place=PLACE)

        assert str(refusal.value) == PLACE

    def test_equal_values_do_not_look_alike(self, vault):
        one, other = (vault.seal(b"Ada", place=PLACE) for _ in range(2))

        assert one != other
        assert b"Ada" not in one

    def test_begins_with_the_name_of_its_key(self, vault):
        assert vault.seal(b"", place=PLACE)[:PREFIX_BYTES] == vault.prefix

    def test_somebody_is_told_of_a_key_that_is_not_known(self, vault):
        told = []
        another = Vault.fresh()
        another.on_unknown_key = lambda: told.append("unknown")

        with pytest.raises(CannotOpen):
            another.open(another.seal(b"Ada", place="carts:1"), place=PLACE)
        assert told == []
        with pytest.raises(CannotOpen):
            another.open(vault.seal(b"Ada", place=PLACE), place=PLACE)
        assert told == ["unknown"]


class TestSealJson:
    def test_comes_back_as_its_kind(self, vault):
        sealed = vault.seal_json({"email": "ada@example.com"}, place=PLACE)

        assert vault.open_json(sealed, dict[str, str], place=PLACE) == {
            "email": "ada@example.com"
        }


class TestIndex:
    def test_is_equal_for_equal_values_of_one_purpose(self, vault):
        index = vault.index("ada@example.com", purpose="email")

        assert index == vault.index("ada@example.com", purpose="email")
        assert index != vault.index("ada@example.com", purpose="subject")
        assert index != vault.index("bob@example.com", purpose="email")
        assert len(index) == 32

    def test_tells_another_shop_nothing(self, vault):
        assert vault.index("a@b.c", purpose="email") != Vault.fresh().index(
            "a@b.c", purpose="email"
        )


class TestLocked:
    @pytest.mark.parametrize(
        "ask",
        [
            lambda vault: vault.seal(b"Ada", place=PLACE),
            lambda vault: vault.open(b"\x01....", place=PLACE),
            lambda vault: vault.index("ada@example.com", purpose="email"),
            lambda vault: vault.prefix,
        ],
        ids=["seal", "open", "index", "prefix"],
    )
    def test_asks_for_its_keys_and_lets_nobody_in(self, ask):
        woken, vault = [], Vault()
        vault.on_unknown_key = lambda: woken.append(True)

        with pytest.raises(VaultLocked):
            ask(vault)

        assert woken
        assert not vault.is_open

    def test_opens_with_its_keys(self):
        fresh, vault = Vault.fresh(), Vault()
        vault.use(fresh.keyset, b"k" * 32)

        assert vault.is_open
        assert vault.open(fresh.seal(b"Ada", place=PLACE), place=PLACE) == b"Ada"
