"""What a profile may say."""

import zoneinfo
from dataclasses import replace

import pytest

from holdfast.domain import customers
from holdfast.domain.customers import Customer
from holdfast.kernel.ids import new_id


@pytest.fixture
def nobody(clock) -> Customer:
    """A profile that says nothing."""
    now = clock()
    return Customer(new_id(), None, None, None, None, None, None, now, now)


class TestCheckProfile:
    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            ("en", "en"),
            ("EN-gb", "en-GB"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sl-rozaj", "sl-rozaj"),
            ("de-1996", "de-1996"),
            ("fil-PH", "fil-PH"),
        ],
    )
    def test_writes_a_locale_as_the_standard_does(self, nobody, said, kept):
        checked = customers.check_profile(replace(nobody, locale=said), country=None)

        assert checked.locale == kept

    @pytest.mark.parametrize(
        "locale",
        ["", "english", "xx", "en_GB", "en-ZZ", "en-", "-en", "en-GB\n", "e" * 10_000],
    )
    def test_refuses_a_locale_that_is_none(self, nobody, locale):
        with pytest.raises(customers.ProfileInvalid) as refused:
            customers.check_profile(replace(nobody, locale=locale), country=None)

        assert [e["pointer"] for e in refused.value.errors] == ["/locale"]

    def test_takes_every_time_zone_there_is(self, nobody):
        odd = {"localtime", "posixrules"}
        refused = []
        for zone in sorted(zoneinfo.available_timezones() - odd):
            try:
                customers.check_profile(replace(nobody, time_zone=zone), country=None)
            except customers.ProfileInvalid:
                refused.append(zone)

        assert refused == []

    @pytest.mark.parametrize(
        "zone",
        [
            "",
            "Europe",
            "Europe/Atlantis",
            "../../etc/passwd",
            "/etc/passwd",
            "Europe/../UTC",
            "posixrules",
            "UTC\x00",
            "E" * 10_000,
        ],
    )
    def test_refuses_a_time_zone_that_is_none(self, nobody, zone):
        with pytest.raises(customers.ProfileInvalid) as refused:
            customers.check_profile(replace(nobody, time_zone=zone), country=None)

        assert [e["pointer"] for e in refused.value.errors] == ["/time_zone"]

    @pytest.mark.parametrize(
        ("said", "country", "kept"),
        [
            ("+44 20 7946 0018", None, "+442079460018"),
            ("020 7946 0018", "GB", "+442079460018"),
            ("(202) 555-0143", "US", "+12025550143"),
            ("+442079460018", "DE", "+442079460018"),
            ("\uff0b442079460018", None, "+442079460018"),
        ],
    )
    def test_keeps_a_phone_number_as_e164(self, nobody, said, country, kept):
        checked = customers.check_profile(replace(nobody, phone=said), country=country)

        assert checked.phone == kept

    @pytest.mark.parametrize(
        ("phone", "says"),
        [
            ("020 7946 0018", "Begin with +"),
            ("+44 20 7946 0018 ext. 12", "extension"),
            ("+44 1234", "given out"),
            ("tea", "Not a telephone number"),
            ("+" + "4" * 10_000, "Longer"),
        ],
    )
    def test_says_why_a_phone_number_is_none(self, nobody, phone, says):
        with pytest.raises(customers.ProfileInvalid) as refused:
            customers.check_profile(replace(nobody, phone=phone), country=None)

        (fault,) = refused.value.errors
        assert says in fault["detail"]

    def test_names_every_fault_at_once(self, nobody):
        wanted = replace(
            nobody,
            given_name="Ada\x00",
            phone="x",
            locale="x",
            currency="XXX",
            time_zone="x",
        )

        with pytest.raises(customers.ProfileInvalid) as refused:
            customers.check_profile(wanted, country=None)

        assert [error["pointer"] for error in refused.value.errors] == [
            "/given_name",
            "/phone",
            "/locale",
            "/currency",
            "/time_zone",
        ]


class TestCountryOf:
    @pytest.mark.parametrize(
        ("locale", "country"),
        [("en-GB", "GB"), ("zh-Hant-TW", "TW"), ("es-419", None), ("en", None)],
    )
    def test_is_what_the_locale_says(self, locale, country):
        assert customers.country_of(locale) == country

    def test_is_not_known_without_a_locale(self):
        assert customers.country_of(None) is None
