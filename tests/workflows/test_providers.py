"""Whom the shop depends on is named in the settings, or nothing starts."""

from dataclasses import replace

import pytest

from holdfast.platform.settings import Settings
from holdfast.workflows.providers import providers

COMPLETE = Settings.read(
    {
        "HOLDFAST_PAYMENT_URL": "http://127.0.0.1:1",
        "HOLDFAST_CARRIER_URL": "http://127.0.0.1:2",
    }
)


class TestProviders:
    @pytest.mark.parametrize(
        ("missing", "name"),
        [
            ("payment_url", "HOLDFAST_PAYMENT_URL"),
            ("carrier_url", "HOLDFAST_CARRIER_URL"),
        ],
    )
    def test_a_missing_address_is_named(self, missing, name):
        with pytest.raises(ValueError, match=name):
            providers(replace(COMPLETE, **{missing: None}), session=None)
