"""Keys of personal data that another service wraps, which may be away or say no."""

import base64
import json
import secrets
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from cases import cases
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import (
    KeyManagementServiceGrpcTransport,
)

from holdfast.platform import wrapping
from holdfast.platform.data_keys import open_vault
from holdfast.platform.wrapping import (
    KeyServiceFailed,
    WrappingKeyWrong,
    wrapper_of,
)

TOKEN = "hvs.a-token-of-the-test"
VAULT_KEY = "hcvault:///teams/transit/keys/shop"
GOOGLE_KEY = "gcp-kms://projects/p/locations/global/keyRings/r/cryptoKeys/k"


class Transit(BaseHTTPRequestHandler):
    """Vault's transit engine at ``teams/transit``: as much of it as keys need.

    https://developer.hashicorp.com/vault/api-docs/secret/transit
    """

    def do_PUT(self):
        self.do_POST()

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers.get("x-vault-token") != TOKEN:
            return self.tell(403, {"errors": ["permission denied"]})
        if self.server.sealed:
            return self.tell(503, {"errors": ["Vault is sealed"]})
        _, version, *mount, action, name = self.path.split("/")
        key = self.server.keys.get(name)
        if (version, *mount) != ("v1", "teams", "transit") or key is None:
            return self.tell(404, {"errors": ["no handler for route"]})
        self.server.asked.append(action)
        return self.tell(*getattr(self, action)(AESGCM(key), said))

    def encrypt(self, key, said):
        nonce = secrets.token_bytes(12)
        plain, beside = map(
            base64.b64decode, (said["plaintext"], said["associated_data"])
        )
        sealed = base64.b64encode(nonce + key.encrypt(nonce, plain, beside)).decode()
        return 200, {"data": {"ciphertext": f"vault:v1:{sealed}", "key_version": 1}}

    def decrypt(self, key, said):
        if not said["ciphertext"].startswith("vault:v1:"):
            return 400, {"errors": ["invalid ciphertext: no prefix"]}
        sealed = base64.b64decode(said["ciphertext"].removeprefix("vault:v1:"))
        beside = base64.b64decode(said["associated_data"])
        try:
            plain = key.decrypt(sealed[:12], sealed[12:], beside)
        except InvalidTag:
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}

    def tell(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # Or its thread would wait for the client's next request.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def transit(monkeypatch):
    """A Vault that the usual variables name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Transit)
    server.keys = {"shop": secrets.token_bytes(32), "other": secrets.token_bytes(32)}
    server.asked, server.sealed = [], False
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    yield server
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def silent():
    """The address of somebody who takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


class TestVault:
    async def test_wraps_the_keys(self, database, clock, transit):
        first = await open_vault(database, VAULT_KEY, clock=clock)
        sealed = first.seal(b"Ada", place="x")

        again = await open_vault(database, VAULT_KEY, clock=clock)

        assert again.open(sealed, place="x") == b"Ada"
        assert again.index("a", purpose="x") == first.index("a", purpose="x")
        rows = await database.fetch("SELECT wrapped, wrapped_by FROM data_keys")
        assert {row["wrapped_by"] for row in rows} == {VAULT_KEY}
        assert transit.asked.count("encrypt") == len(rows)

    async def test_tells_what_each_key_is_for(self, transit):
        wrapper = wrapper_of(VAULT_KEY)
        wrapped = wrapper.encrypt(b"secret", b"personal")

        assert wrapper.decrypt(wrapped, b"personal") == b"secret"
        with pytest.raises(wrapping.tink.TinkError):
            wrapper.decrypt(wrapped, b"index")

    @pytest.mark.parametrize(
        "where", ["hcvault:///teams/transit/keys/other", "base64:" + "A" * 43 + "="]
    )
    async def test_of_a_shop_begun_with_another_key_is_refused(
        self, database, clock, transit, where
    ):
        await open_vault(database, where, clock=clock)

        with pytest.raises(WrappingKeyWrong, match="is not the key that this shop's"):
            await open_vault(database, VAULT_KEY, clock=clock)

    async def test_that_is_sealed_is_not_taken_for_a_wrong_key(
        self, database, clock, transit
    ):
        await open_vault(database, VAULT_KEY, clock=clock)
        transit.sealed = True

        with pytest.raises(KeyServiceFailed, match=r"does not help: .*is sealed"):
            wrapper_of(VAULT_KEY).decrypt(b"vault:v1:AAAA", b"")

    @cases("token", ["", "hvs.of-somebody-else"])
    async def test_that_does_not_know_the_token_says_so(
        self, transit, monkeypatch, tmp_path, token
    ):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("VAULT_TOKEN", token)

        with pytest.raises(KeyServiceFailed, match="permission denied") as told:
            wrapper_of(VAULT_KEY).encrypt(b"secret", b"")

        assert TOKEN not in str(told.value)

    async def test_that_is_away_is_told_in_one_sentence(self, monkeypatch):
        monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

        with pytest.raises(KeyServiceFailed, match=r"key service hcvault:///.*help"):
            wrapper_of(VAULT_KEY).encrypt(b"secret", b"")

    async def test_that_says_nothing_is_not_waited_for(self, monkeypatch, silent):
        monkeypatch.setenv("VAULT_ADDR", silent)
        monkeypatch.setattr(wrapping, "_ANSWER_SECONDS", 0.1)

        with pytest.raises(KeyServiceFailed, match="timed out"):
            wrapper_of(VAULT_KEY).encrypt(b"secret", b"")

    async def test_that_is_named_is_asked_over_https(self):
        service = wrapper_of("hcvault://v.example:8200/transit/keys/shop")

        address = service._aead._transit._adapter.base_uri
        assert address == "https://v.example:8200"

    @cases(
        "where",
        [
            "hcvault://v.example/transit/shop",
            "hcvault://v.example/keys/shop",
            "hcvault://v.example/transit/keys/",
            "hcvault://v.example/transit/keys/a/b",
            "hcvault://user:secret@v.example/transit/keys/shop",
        ],
    )
    async def test_has_an_address_of_one_form(self, where):
        with pytest.raises(WrappingKeyWrong, match="must be hcvault://") as told:
            wrapper_of(where)

        assert "secret" not in str(told.value)


class Google:
    """Google Cloud KMS with one key, as it is called over gRPC."""

    def __init__(self):
        self.sealer, self.refuses = AESGCM(secrets.token_bytes(32)), None
        self.within = []

    def encrypt(self, said, context):
        self.begin(said, context)
        nonce = secrets.token_bytes(12)
        beside = said.additional_authenticated_data
        sealed = nonce + self.sealer.encrypt(nonce, said.plaintext, beside)
        return kms_v1.EncryptResponse(name=said.name, ciphertext=sealed)

    def decrypt(self, said, context):
        self.begin(said, context)
        nonce, sealed = said.ciphertext[:12], said.ciphertext[12:]
        try:
            plain = self.sealer.decrypt(
                nonce, sealed, said.additional_authenticated_data
            )
        except InvalidTag:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Decryption failed")
        return kms_v1.DecryptResponse(plaintext=plain)

    def begin(self, said, context):
        self.within.append(context.time_remaining())
        if said.name != GOOGLE_KEY.removeprefix("gcp-kms://"):
            context.abort(grpc.StatusCode.NOT_FOUND, "no such key")
        if self.refuses is not None:
            context.abort(self.refuses, "not at the moment")


@pytest.fixture
def google(monkeypatch):
    """A key service of Google's here, and its own client that knows it."""
    service = Google()
    calls = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(service, name.lower()),
            request_deserializer=wanted.deserialize,
            response_serializer=lambda said: type(said).serialize(said),
        )
        for name, wanted in (
            ("Encrypt", kms_v1.EncryptRequest),
            ("Decrypt", kms_v1.DecryptRequest),
        )
    }
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        server.add_generic_rpc_handlers(
            [
                grpc.method_handlers_generic_handler(
                    "google.cloud.kms.v1.KeyManagementService", calls
                )
            ]
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        transport = KeyManagementServiceGrpcTransport(channel=channel)
        client = kms_v1.KeyManagementServiceClient(transport=transport)
        monkeypatch.setattr(kms_v1, "KeyManagementServiceClient", lambda: client)
        yield service
        channel.close()
        server.stop(None).wait()


class TestGoogle:
    async def test_wraps_the_keys(self, database, clock, google):
        first = await open_vault(database, GOOGLE_KEY, clock=clock)
        sealed = first.seal(b"Ada", place="x")

        again = await open_vault(database, GOOGLE_KEY, clock=clock)

        assert again.open(sealed, place="x") == b"Ada"
        # gRPC rounds the time that is left up.
        assert 0 < max(google.within) < wrapping._ANSWER_SECONDS + 0.1

    async def test_of_a_shop_begun_with_another_key_is_refused(self, google):
        wrapper = wrapper_of(GOOGLE_KEY)
        wrapped = wrapper.encrypt(b"secret", b"personal")

        with pytest.raises(wrapping.tink.TinkError):
            wrapper.decrypt(wrapped, b"index")

    @cases("status", ["UNAVAILABLE", "PERMISSION_DENIED", "DEADLINE_EXCEEDED"])
    async def test_that_does_not_help_is_asked_once_and_not_taken_for_a_wrong_key(
        self, google, status
    ):
        google.refuses, google.within[:] = getattr(grpc.StatusCode, status), []

        with pytest.raises(KeyServiceFailed, match=r"not help: .*not at the moment"):
            wrapper_of(GOOGLE_KEY).decrypt(bytes(40), b"")

        assert len(google.within) == 1

    async def test_without_credentials_is_told_in_one_sentence(
        self, monkeypatch, tmp_path
    ):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none"))

        with pytest.raises(KeyServiceFailed, match=r"gcp-kms://.* was not found"):
            wrapper_of(GOOGLE_KEY)

    async def test_has_an_address_of_one_form(self):
        with pytest.raises(WrappingKeyWrong, match="must be gcp-kms://projects/"):
            wrapper_of("gcp-kms://projects/p/cryptoKeys/k")


class TestExtras:
    @cases(
        ("where", "needs"),
        [
            ("aws-kms://arn:aws:kms:eu-central-1:1:key/k", ("boto3", "awskms")),
            ("gcp-kms://projects/p/k", ("google.cloud", "gcpkms")),
            ("hcvault://v.example/transit/keys/k", ("hvac", "hcvault")),
        ],
    )
    async def test_that_are_missing_are_named(self, monkeypatch, where, needs):
        module, extra = needs
        monkeypatch.setitem(sys.modules, module, None)

        with pytest.raises(WrappingKeyWrong, match=rf"extra holdfast\[{extra}\]"):
            wrapper_of(where)
