"""How a receiver knows that a webhook is ours."""

import base64

import msgspec
import pytest

from holdfast.simulators.webhooks.signature import Target, sign


class TestSign:
    def test_is_what_the_specification_says(self):
        # The example of the reference implementations of Standard Webhooks.
        key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

        signature = sign(
            key,
            event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1614265330,
            body=b'{"test": 2432232314}',
        )

        assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class TestTarget:
    @pytest.mark.parametrize("size", [24, 64])
    def test_takes_keys_of_the_size_the_specification_asks_for(self, size):
        secret = "whsec_" + base64.b64encode(bytes(size)).decode()

        target = msgspec.convert({"url": "http://a.test/x", "secret": secret}, Target)

        assert target.key == bytes(size)
        assert secret not in repr(target)

    @pytest.mark.parametrize(
        "secret",
        [
            "",
            "whsec_",
            "whsec_" + base64.b64encode(bytes(23)).decode(),
            "whsec_" + base64.b64encode(bytes(65)).decode(),
            "whsec_!!!!",
            "whsec_é",
            base64.b64encode(bytes(32)).decode(),
        ],
    )
    async def test_refuses_what_is_no_secret(self, payment, receiver, secret):
        response = await payment.put(
            "/control/webhook", json={**receiver.target, "secret": secret}
        )

        assert response.status_code == 422
        assert (await payment.get("/control/webhook")).json()["url"] is None

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://a.test/",
            "http://",
            "http:///path",
            "/hooks",
            "http://a.test/\r\nx: y",
            "http://me:you@a.test/",
            "http://a.test:99999/",
            "http://a.test:0/",
            "http://[::1/",
            "http://a.test/" + "x" * 2048,
        ],
    )
    async def test_refuses_what_is_no_address(self, payment, receiver, url):
        response = await payment.put(
            "/control/webhook", json={**receiver.target, "url": url}
        )

        assert response.status_code == 422
