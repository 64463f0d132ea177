"""A message is believed when its sender knew the secret, just now."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.platform import webhooks
from holdfast.platform.webhooks import WebhookNotVerified

# The example of the standard's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = b'{"test": 2432232314}'
SENT = datetime.fromtimestamp(1614265330, UTC)
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_example_of_the_standard_is_believed():
    verified = webhooks.verify(HEADERS, BODY, [SECRET], SENT)

    assert verified == webhooks.Verified("msg_p5jXN8AQM9LWM0D4loKWxJek", SENT)


class TestSecrets:
    def test_either_of_two_will_do_while_one_replaces_the_other(self):
        assert webhooks.verify(HEADERS, BODY, [OTHER, SECRET], SENT)
        assert webhooks.verify(HEADERS, BODY, [SECRET, OTHER], SENT)

    @pytest.mark.parametrize("secrets", [[], [OTHER]], ids=["none", "another"])
    def test_who_does_not_know_it_is_not_believed(self, secrets):
        with pytest.raises(WebhookNotVerified, match="signature"):
            webhooks.verify(HEADERS, BODY, secrets, SENT)

    @pytest.mark.parametrize(
        "secret",
        [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_not base64",
            "whsec_",
            "whsec_" + base64.b64encode(b"x" * 23).decode(),
            "whsec_" + base64.b64encode(b"x" * 65).decode(),
            "whsec_äöü",
        ],
        ids=["no prefix", "no base64", "empty", "short", "long", "not ascii"],
    )
    def test_one_that_is_none_is_refused_without_being_quoted(self, secret):
        with pytest.raises(ValueError, match="a webhook secret") as refused:
            webhooks.key_of(secret)

        assert (secret.removeprefix("whsec_") or "whsec_x") not in str(refused.value)


class TestSignature:
    def test_is_what_the_header_says(self):
        made = webhooks.signature(SECRET, HEADERS["webhook-id"], 1614265330, BODY)

        assert made == HEADERS["webhook-signature"]

    def test_one_right_one_among_several_is_enough(self):
        several = f"v1,AAAA v1a,xyz junk v1,? {HEADERS['webhook-signature']}"

        headers = {**HEADERS, "webhook-signature": several}

        assert webhooks.verify(headers, BODY, [SECRET], SENT)

    def test_no_more_than_ten_are_looked_at(self):
        many = "v1,AAAA " * 10 + HEADERS["webhook-signature"]

        with pytest.raises(WebhookNotVerified, match="signature"):
            webhooks.verify(
                {**HEADERS, "webhook-signature": many}, BODY, [SECRET], SENT
            )

    @pytest.mark.parametrize(
        "changed",
        [
            {"webhook-id": "msg_another"},
            {"webhook-timestamp": "1614265331"},
            {"webhook-signature": "v1,"},
            {"webhook-signature": "v1,ä"},
            {"webhook-signature": "v2," + HEADERS["webhook-signature"][3:]},
            {"webhook-signature": HEADERS["webhook-signature"][3:]},
        ],
        ids=["id", "timestamp", "empty", "odd", "version", "no version"],
    )
    def test_covers_everything(self, changed):
        with pytest.raises(WebhookNotVerified, match="signature"):
            webhooks.verify({**HEADERS, **changed}, BODY, [SECRET], SENT)

    def test_covers_the_body(self):
        with pytest.raises(WebhookNotVerified, match="signature"):
            webhooks.verify(HEADERS, BODY + b" ", [SECRET], SENT)


class TestHeaders:
    @pytest.mark.parametrize("name", sorted(HEADERS))
    def test_none_may_be_missing(self, name):
        headers = {n: v for n, v in HEADERS.items() if n != name}

        with pytest.raises(WebhookNotVerified, match="headers"):
            webhooks.verify(headers, BODY, [SECRET], SENT)

    @pytest.mark.parametrize(
        "odd",
        [
            {"webhook-id": "x" * 256},
            {"webhook-id": "x\x00"},
            {"webhook-id": "ä"},
            {"webhook-timestamp": "-1614265330"},
            {"webhook-timestamp": "1614265330.5"},
            {"webhook-timestamp": "1" * 13},
            {"webhook-timestamp": "١٦١٤"},
        ],
        ids=["long", "control", "ascii", "minus", "fraction", "digits", "arabic"],
    )
    def test_one_that_cannot_be_read_is_refused(self, odd):
        with pytest.raises(WebhookNotVerified, match="headers"):
            webhooks.verify({**HEADERS, **odd}, BODY, [SECRET], SENT)


class TestTimestamp:
    @pytest.mark.parametrize("seconds", [-300, 0, 300])
    def test_may_be_five_minutes_off(self, seconds):
        now = SENT + timedelta(seconds=seconds)

        assert webhooks.verify(HEADERS, BODY, [SECRET], now)

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_no_more_than_that(self, seconds):
        with pytest.raises(WebhookNotVerified, match="timestamp"):
            webhooks.verify(HEADERS, BODY, [SECRET], SENT + timedelta(seconds=seconds))

    def test_of_another_age_is_refused_too(self):
        signed = webhooks.signature(SECRET, "m", 10**12 - 1, BODY)
        headers = {
            "webhook-id": "m",
            "webhook-timestamp": str(10**12 - 1),
            "webhook-signature": signed,
        }

        with pytest.raises(WebhookNotVerified, match="timestamp"):
            webhooks.verify(headers, BODY, [SECRET], SENT)
