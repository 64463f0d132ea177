"""Where the simulators of ``holdfast up`` send what happens."""

import base64

from holdfast.cli.webhook_targets import SECRET_VARIABLE, new_secret, targets
from holdfast.platform.settings import Settings
from holdfast.platform.webhooks import key_of

OWN = "whsec_" + base64.b64encode(b"chosen by the operator of it").decode()


class TestTargets:
    def test_each_simulator_has_an_address_and_a_secret_of_its_own(self):
        told = targets(Settings.read({}), "http://127.0.0.1:8000")

        assert told["payment"].arguments == (
            "--webhook-url",
            "http://127.0.0.1:8000/v1/webhooks/payments",
        )
        assert told["payment"].environ == {SECRET_VARIABLE: told["payment"].secret}
        assert told["payment"].secret != told["carrier"].secret

    def test_a_secret_of_the_settings_is_used(self):
        settings = Settings.read({"HOLDFAST_PAYMENT_WEBHOOK_SECRET": OWN})

        assert targets(settings, "http://x")["payment"].secret == OWN


class TestNewSecret:
    def test_is_one_that_can_be_verified_with(self):
        assert len(key_of(new_secret())) == 32
        assert new_secret() != new_secret()
