import gzip
from importlib import resources

import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import PasswordRefused

ADA = "ada.lovelace@analytical.example"


@pytest.fixture
def reasons():
    """What is said against a password; nothing if it is taken."""

    def against(password, email=ADA, shortest=8):
        try:
            accounts.check_password_rules(password, email=email, shortest=shortest)
        except PasswordRefused as refused:
            return refused.reasons
        return []

    return against


class TestCheckPasswordRules:
    @pytest.mark.parametrize(
        "password",
        [
            "four unlikely words",
            "zu zweit am see",
            "пароль не такой",
            "\N{TEACUP WITHOUT HANDLE}" * 3 + " at five",
            "x7Kq.m2v",
            "w" + "o" * 200 + "w!",
            "        a        b",
            "a difference engine for ada",
        ],
        ids=["words", "german", "cyrillic", "emoji", "random", "long", "spaces", "ada"],
    )
    def test_takes_whatever_is_hard_to_guess(self, reasons, password):
        assert reasons(password) == []

    @pytest.mark.parametrize(
        ("password", "reason"),
        [
            ("", "fewer than 8"),
            ("x7Kq.m2", "fewer than 8"),
            ("x7Kq.m2v" * 33, "more than 256"),
            ("x" * 1_000_000, "more than 256"),
            ("\u0301\u0323" * 500_000, "more than 256"),
            ("x7Kq.\x00m2v", "control character"),
            ("x7Kq.\nm2v", "control character"),
            ("x7Kq.\ud800m2v", "control character"),
            ("password", "most common"),
            ("PassWord", "most common"),
            ("iloveyou", "most common"),
            ("dragon2026!", "most common"),
            ("password123", "most common"),
            ("zzzzzzzzzzzz", "over and over"),
            ("tea!tea!tea!tea!", "over and over"),
            ("12121212", "over and over"),
            ("abcdefghij", "sequence"),
            ("98765432", "sequence"),
            ("asdfghjkl", "sequence"),
            ("poiuytrewq", "sequence"),
            ("holdfast2026", "name of the shop"),
            ("Ada.Lovelace", "e-mail address"),
            ("lovelace1815", "e-mail address"),
            ("ada.lovelace@analytical.example", "e-mail address"),
            ("analytical77", "e-mail address"),
        ],
        ids=lambda value: ascii(value)[:16],
    )
    def test_refuses_what_guessing_begins_with(self, reasons, password, reason):
        said = reasons(password)

        assert any(reason in sentence for sentence in said), said

    def test_takes_none_shorter_than_the_shop_says(self, reasons):
        assert reasons("x7Kq.m2v is 14", shortest=15) == [
            "It has fewer than 15 characters."
        ]
        assert reasons("x7Kq.m2v is 15!", shortest=15) == []

    def test_counts_letters_as_people_do(self, reasons):
        accented = "e\N{COMBINING ACUTE ACCENT}" * 3 + "tre ou pas"

        assert reasons(accented) == []
        assert reasons("e\N{COMBINING ACUTE ACCENT}" * 6 + "!") != []

    def test_says_every_reason_at_once(self, reasons):
        assert len(reasons("aaa\x00")) >= 2

    def test_never_says_the_password(self, reasons):
        assert "iloveyou" not in "".join(reasons("iloveyou"))


class TestBlocklist:
    def test_is_long_and_has_its_licence_beside_it(self):
        folder = resources.files("holdfast.domain.accounts")
        packed = (folder / "common_passwords.txt.gz").read_bytes()

        assert len(packed) <= 300_000
        assert len(gzip.decompress(packed).splitlines()) >= 10_000
        assert "MIT" in (folder / "common_passwords.license").read_text()
