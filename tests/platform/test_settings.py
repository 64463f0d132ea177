"""Settings are read once, refused as a whole, and never show a secret."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.platform.settings import BadSettings, Secret, Settings

REAL = {
    "HOLDFAST_ENV": "production",
    "DATABASE_URL": "postgresql://shop:s3cret@db.example/shop",
    "REDIS_URL": "rediss://:s3cret@cache.example:6379/0",
    "HOLDFAST_PAYMENT_URL": "https://pay.example",
    "HOLDFAST_CARRIER_URL": "https://carry.example",
    "HOLDFAST_MAIL_URL": "smtps://shop:s3cret@mail.example:465",
    "HOLDFAST_PUBLIC_URL": "https://shop.example",
    "HOLDFAST_DATA_KEY": "aws-kms://arn:aws:kms:eu-central-1:1:key/s3cret",
}


class TestRead:
    def test_an_empty_environment_is_a_development_shop(self):
        settings = Settings.read({})

        assert settings.environment == "development"
        assert settings.home == Path(".holdfast").absolute()
        assert settings.database_url is None
        assert settings.log_format == "console"
        assert settings.payment_timeout_seconds == 8
        assert settings.public_url == "http://127.0.0.1:8000"
        assert settings.data_key == f"file:{Path('.holdfast').absolute()}/data.key"

    def test_takes_what_is_set(self, tmp_path):
        settings = Settings.read(
            REAL
            | {
                "HOLDFAST_HOME": str(tmp_path),
                "PG_BIN": str(tmp_path),
                "HOLDFAST_CURRENCY": "JPY",
                "HOLDFAST_LANGUAGE": "pt-br",
                "HOLDFAST_LOG_LEVEL": "warning",
                "HOLDFAST_CARRIER_TIMEOUT_SECONDS": "0.5",
                "HOLDFAST_DATABASE_POOL_SIZE": "3",
            }
        )

        assert settings.home == tmp_path
        assert settings.pg_bin == tmp_path
        assert settings.database_url == REAL["DATABASE_URL"]
        assert settings.currency == "JPY"
        assert settings.language == "pt-BR"
        assert settings.log_level == "warning"
        assert settings.log_format == "json"
        assert settings.carrier_timeout_seconds == 0.5
        assert settings.database_pool_size == 3

    def test_an_empty_value_counts_as_not_set(self):
        settings = Settings.read(dict.fromkeys([*REAL, "PG_BIN"], ""))

        assert settings.environment == "development"
        assert settings.pg_bin is None

    @pytest.mark.parametrize(
        ("name", "value", "complaint"),
        [
            ("HOLDFAST_ENV", "prod", "must be one of development, test, staging"),
            (
                "HOLDFAST_CURRENCY",
                "XXX",
                "must be one of AED, AFN, ALL, AMD, AOA, ARS, ",
            ),
            ("HOLDFAST_LANGUAGE", "de_AT", "must be a language tag such as de"),
            ("DATABASE_URL", "mysql://db", r"must be a URL with postgres:// or "),
            ("REDIS_URL", "redis.example:6379", "must be a URL with redis:// or "),
            ("HOLDFAST_PAYMENT_URL", "http://[::1", "must be a URL with http:// or "),
            ("PG_BIN", "/nowhere", "must be a folder, and '/nowhere' is not"),
            ("HOLDFAST_DATABASE_POOL_SIZE", "0", "must be a number from 1 to 1000"),
            ("HOLDFAST_DATABASE_POOL_SIZE", "2.5", "must be a number from 1 to 1000"),
            ("HOLDFAST_DATABASE_POOL_SIZE", "many", "must be a number from 1 to 1000"),
            ("HOLDFAST_PAYMENT_TIMEOUT_SECONDS", "nan", "must be a number from 0.05"),
            ("HOLDFAST_PAYMENT_TIMEOUT_SECONDS", "inf", "must be a number from 0.05"),
            ("HOLDFAST_PUBLIC_URL", "shop.example", "must be a URL with http:// or "),
            ("HOLDFAST_PUBLIC_URL", "https://", "must be a bare address"),
            ("HOLDFAST_PUBLIC_URL", "https://s.example/?a", "must be a bare address"),
            ("HOLDFAST_PUBLIC_URL", "https://s.example/#a", "must be a bare address"),
            ("HOLDFAST_PUBLIC_URL", "https://a@s.example", "must be a bare address"),
            ("HOLDFAST_DATA_KEY", "swordfish", "must begin with one of aws-kms://"),
        ],
    )
    def test_refuses_a_bad_value_by_name(self, name, value, complaint):
        with pytest.raises(BadSettings, match=f"{name} {complaint}"):
            Settings.read({name: value})

    def test_names_every_bad_value_at_once(self):
        with pytest.raises(BadSettings) as refusal:
            Settings.read(
                {
                    "HOLDFAST_ENV": "x",
                    "REDIS_URL": "x",
                    "HOLDFAST_BODY_LIMIT_BYTES": "x",
                }
            )

        assert [line.split()[0] for line in str(refusal.value).split("; ")] == [
            "HOLDFAST_ENV",
            "REDIS_URL",
            "HOLDFAST_BODY_LIMIT_BYTES",
        ]

    @pytest.mark.parametrize("environment", ["staging", "production"])
    def test_no_real_shop_runs_on_embedded_servers(self, environment):
        with pytest.raises(BadSettings) as refusal:
            Settings.read({"HOLDFAST_ENV": environment})

        for name in REAL.keys() - {"HOLDFAST_ENV"}:
            assert f"{name} must be set in {environment}" in str(refusal.value)

    @pytest.mark.parametrize("missing", sorted(REAL.keys() - {"HOLDFAST_ENV"}))
    def test_production_needs_each_of_its_servers(self, missing):
        with pytest.raises(BadSettings, match=f"^{missing} must be set in production$"):
            Settings.read(REAL | {missing: ""})

    def test_production_keeps_its_protection(self):
        off = {"HOLDFAST_PROTECTION": "off"}

        with pytest.raises(BadSettings, match="PROTECTION must be on in production"):
            Settings.read(REAL | off)
        assert Settings.read(REAL | off | {"HOLDFAST_ENV": "staging"})
        assert Settings.read({}).protection == "on"

    def test_production_with_real_servers_is_accepted(self):
        assert Settings.read(REAL).environment == "production"

    def test_the_public_url_has_no_slash_at_its_end(self):
        settings = Settings.read({"HOLDFAST_PUBLIC_URL": "https://shop.example/at/"})

        assert settings.public_url == "https://shop.example/at"

    @pytest.mark.parametrize("environment", ["staging", "production"])
    def test_a_real_shop_is_reached_by_https(self, environment):
        bare = {"HOLDFAST_ENV": environment, "HOLDFAST_PUBLIC_URL": "http://shop"}

        with pytest.raises(BadSettings, match=r"^HOLDFAST_PUBLIC_URL must be https://"):
            Settings.read(REAL | bare)

    @pytest.mark.parametrize("kept", ["file:/etc/data.key", "base64:AAAA"])
    def test_production_wraps_its_keys_by_a_key_service(self, kept):
        with pytest.raises(BadSettings, match="must be a key service in production"):
            Settings.read(REAL | {"HOLDFAST_DATA_KEY": kept})

        staged = REAL | {"HOLDFAST_ENV": "staging", "HOLDFAST_DATA_KEY": kept}
        assert Settings.read(staged).data_key == kept

    @given(st.dictionaries(st.sampled_from(sorted(REAL)), st.text()))
    def test_any_environment_is_accepted_or_refused(self, environ):
        try:
            settings = Settings.read(environ)
        except BadSettings as refusal:
            assert any(name in str(refusal) for name in environ)  # noqa: PT017
            return
        assert settings.environment in ("development", "test")


class TestFromEnvironment:
    def test_reads_the_environment_of_the_process(self, monkeypatch):
        monkeypatch.setenv("HOLDFAST_CURRENCY", "SEK")

        assert Settings.from_environment().currency == "SEK"


class TestSecrets:
    def test_no_secret_is_shown_when_settings_are(self):
        assert "s3cret" not in repr(Settings.read(REAL))

    def test_a_refusal_does_not_repeat_the_secret(self):
        with pytest.raises(BadSettings) as refusal:
            Settings.read({"DATABASE_URL": "mysql://shop:s3cret@db.example"})

        assert "s3cret" not in str(refusal.value)

    def test_a_refused_data_key_is_not_repeated(self):
        with pytest.raises(BadSettings) as refusal:
            Settings.read({"HOLDFAST_DATA_KEY": "s3cret"})

        assert "s3cret" not in str(refusal.value)

    def test_works_as_the_text_it_hides(self):
        assert Secret("s3cret") == "s3cret"
        assert repr(Secret("s3cret")) == "***"


class TestWebhookSecrets:
    @pytest.mark.parametrize("of", ["PAYMENT", "CARRIER"])
    def test_there_may_be_two_while_one_replaces_the_other(self, of):
        old, new = ("whsec_" + base64.b64encode(b * 32).decode() for b in (b"a", b"b"))

        settings = Settings.read({f"HOLDFAST_{of}_WEBHOOK_SECRET": f"{new} {old}"})

        assert getattr(settings, f"{of.lower()}_webhook_secrets") == (new, old)

    def test_one_that_is_none_is_refused_and_not_repeated(self):
        with pytest.raises(BadSettings, match="CARRIER_WEBHOOK_SECRET") as refusal:
            Settings.read({"HOLDFAST_CARRIER_WEBHOOK_SECRET": "whsec_s3cret"})

        assert "s3cret" not in str(refusal.value)


class TestInvoiceSeller:
    def test_has_a_line_for_each_part(self):
        said = "Holdfast Trading | 1 Quay, Rotterdam || VAT NL000099998B57 "

        settings = Settings.read({"HOLDFAST_INVOICE_SELLER": said})

        assert settings.invoice_seller == (
            "Holdfast Trading",
            "1 Quay, Rotterdam",
            "VAT NL000099998B57",
        )

    def test_may_be_left_out(self):
        assert Settings.read({}).invoice_seller == ()


class TestParcelSize:
    def test_is_read_in_millimetres(self):
        settings = Settings.read({"HOLDFAST_PARCEL_SIZE": "400x300x200"})

        assert settings.parcel_size == (400, 300, 200)

    @pytest.mark.parametrize("said", ["400x300", "0x1x1", "40 x 30 x 20", "4e2x1x1"])
    def test_of_another_form_is_refused(self, said):
        with pytest.raises(BadSettings, match="HOLDFAST_PARCEL_SIZE must be like"):
            Settings.read({"HOLDFAST_PARCEL_SIZE": said})


class TestMediaUrl:
    """The bucket of pictures."""

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("https://bucket", "must be a URL with s3://"),
            ("s3:///prefix", "must name a bucket"),
            ("s3://bucket#part", "must name a bucket"),
            ("s3://key@bucket", "must have both keys"),
            ("s3://bucket?regoin=eu", "has no option 'regoin'"),
        ],
    )
    def test_is_refused_if_it_names_none(self, url, complaint):
        with pytest.raises(BadSettings, match=f"HOLDFAST_MEDIA_URL {complaint}"):
            Settings.read({"HOLDFAST_MEDIA_URL": url})

    def test_is_never_repeated_in_a_complaint(self):
        url = "s3://key:s3cret@bucket?x=1"

        with pytest.raises(BadSettings) as refusal:
            Settings.read({"HOLDFAST_MEDIA_URL": url})

        assert "s3cret" not in str(refusal.value)

    def test_may_hold_keys_and_options(self):
        url = "s3://key:secret@bucket/prefix?region=eu&endpoint=https://minio.example"

        settings = Settings.read({"HOLDFAST_MEDIA_URL": url})

        assert settings.media_url == url
        assert "secret" not in repr(settings.media_url)
