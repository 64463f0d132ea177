"""Keys of personal data that AWS KMS wraps, when it says no."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cases import cases

from holdfast.platform import wrapping
from holdfast.platform.data_keys import open_vault
from holdfast.platform.wrapping import (
    KeyServiceFailed,
    WrappingKeyWrong,
    wrapper_of,
)

KEY = "aws-kms://arn:aws:kms:eu-central-1:1:key/k"


class Refusing(BaseHTTPRequestHandler):
    """Says no to every question, in the words of the test."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.asked += 1
        said = {"__type": self.server.says, "message": "not at the moment"}
        body = json.dumps(said).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        # Or its thread would wait for the client's next request.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def amazon(monkeypatch):
    """A key service that the usual variables name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield server
    server.shutdown()
    serving.join()
    server.server_close()


class TestAmazon:
    @cases(
        "says",
        [
            *("AccessDeniedException", "ThrottlingException", "DisabledException"),
            *("KMSInternalException", "KMSInvalidStateException", "NotFoundException"),
            *("ExpiredTokenException", "DependencyTimeoutException"),
        ],
    )
    async def test_that_does_not_help_is_asked_once_and_not_taken_for_a_wrong_key(
        self, amazon, says
    ):
        amazon.says, amazon.asked = says, 0

        with pytest.raises(KeyServiceFailed, match=r"not help: .*not at the moment"):
            wrapper_of(KEY).decrypt(b"wrapped", b"index")

        assert amazon.asked == 1

    @cases("says", ["InvalidCiphertextException", "IncorrectKeyException"])
    async def test_tells_what_another_key_wrapped(self, amazon, says):
        amazon.says, amazon.asked = says, 0

        with pytest.raises(wrapping.tink.TinkError, match="another key"):
            wrapper_of(KEY).decrypt(b"wrapped", b"index")

    @pytest.mark.parametrize(
        ("says", "sentence"),
        [
            ("AccessDeniedException", "key service aws-kms://.*AccessDenied"),
            ("IncorrectKeyException", "is not the key that this shop's"),
        ],
    )
    async def test_that_refuses_is_told_to_who_starts_a_shop(
        self, database, clock, amazon, says, sentence
    ):
        await open_vault(database, "base64:" + "A" * 43 + "=", clock=clock)
        amazon.says, amazon.asked = says, 0

        with pytest.raises(WrappingKeyWrong, match=sentence):
            await open_vault(database, KEY, clock=clock)

    async def test_that_says_nothing_is_not_waited_for(self, amazon, monkeypatch):
        monkeypatch.setattr(wrapping, "_ANSWER_SECONDS", 0.1)

        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"http://127.0.0.1:{silent.getsockname()[1]}"
            monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", address)
            with pytest.raises(KeyServiceFailed, match="timeout"):
                wrapper_of(KEY).encrypt(b"secret", b"")

    @cases(
        "where",
        [
            "aws-kms://arn:aws:s3:eu-central-1:1:key/k",
            "aws-kms://arn:aws:kms:eu-central-1:1:k",
            "aws-kms://alias/shop",
        ],
    )
    async def test_has_an_address_of_one_form(self, where):
        with pytest.raises(WrappingKeyWrong, match="must be aws-kms://arn:aws:kms:"):
            wrapper_of(where)
