"""Providers are refused as a whole, by place and fault, and never by their secret."""

import json

import pytest

from holdfast.platform.openid_providers import read
from holdfast.platform.settings import BadSettings, Settings

GOOD = {
    "id": "other-shop",
    "title": "The other shop",
    "issuer": "https://id.example",
    "client_id": "us",
    "client_secret": "s3cret",
}


class TestRead:
    def test_takes_several(self):
        second = {**GOOD, "id": "b", "issuer": "https://b.example/tenant"}

        providers, faults = read(json.dumps([GOOD, second]), demanding=True)

        assert faults == []
        assert [p.id for p in providers] == ["other-shop", "b"]
        assert providers[0].client_secret == "s3cret"

    def test_never_prints_a_secret(self):
        (provider,), _ = read(json.dumps([GOOD]), demanding=True)

        assert "s3cret" not in repr(provider)

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"id": "A b"}, "0: id must be"),
            ({"id": "../x"}, "0: id must be"),
            ({"title": " "}, "0: title must not be empty"),
            ({"client_id": ""}, "0: client_id must not be empty"),
            ({"client_secret": ""}, "0: client_secret must not be empty"),
            ({"issuer": "http://id.example"}, "0: issuer must be"),
            ({"issuer": "https://id.example?x=1"}, "0: issuer must be"),
            ({"issuer": "https://me@id.example"}, "0: issuer must be"),
            ({"issuer": "http://[::1"}, "0: issuer must be"),
            ({"issuer": 5}, "must be a JSON list of providers: Expected `str`"),
            ({"secret": "s3cret"}, "must be a JSON list of providers: Object contains"),
        ],
        ids=lambda said: str(said)[:30],
    )
    def test_names_what_is_wrong(self, change, complaint):
        providers, faults = read(json.dumps([{**GOOD, **change}]), demanding=False)

        assert providers == ()
        assert faults[0].startswith(complaint)
        assert "s3cret" not in faults[0]

    def test_refuses_one_id_or_issuer_twice(self):
        _, faults = read(json.dumps([GOOD, GOOD]), demanding=False)

        assert faults == [
            "two providers have the same id",
            "two providers have the same issuer",
        ]

    @pytest.mark.parametrize("text", ["{", "[", '"a', "\udc80"])
    def test_refuses_what_is_no_json(self, text):
        assert read(text, demanding=False)[1]

    def test_http_on_this_machine_is_for_development(self):
        local = json.dumps([{**GOOD, "issuer": "http://127.0.0.1:8001"}])

        assert read(local, demanding=False)[1] == []
        assert read(local, demanding=True)[1] != []


class TestSetting:
    def test_is_refused_by_name_without_the_secret(self):
        bad = json.dumps([{**GOOD, "issuer": "ftp://x"}])

        with pytest.raises(BadSettings) as refusal:
            Settings.read({"HOLDFAST_OPENID_PROVIDERS": bad})

        assert str(refusal.value).startswith("HOLDFAST_OPENID_PROVIDERS 0: issuer")
        assert "s3cret" not in str(refusal.value)

    def test_is_masked_when_settings_are_shown(self):
        settings = Settings.read({"HOLDFAST_OPENID_PROVIDERS": json.dumps([GOOD])})

        assert settings.openid_providers[0].title == "The other shop"
        assert "s3cret" not in repr(settings)
