"""Handing mail to a server, and telling refusals from troubles."""

import ssl
from datetime import UTC, datetime

import pytest

from holdfast.cli.worker import mailer as mailer_of
from holdfast.domain.notifications import (
    Email,
    Mailer,
    MailRefused,
    MailServerUnavailable,
)
from holdfast.kernel.ids import new_id
from holdfast.platform.circuits import Circuits
from holdfast.platform.dependencies import MAIL
from holdfast.platform.settings import Settings
from holdfast.resilience.circuit import State


@pytest.fixture
def email():
    def build(recipient="ada@example.com", subject="Your order HF-1001"):
        written = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
        return Email(
            new_id(), new_id(), recipient, subject, "Thank you, Zoë.\n", written, None
        )

    return build


@pytest.fixture
def mailer(smtp):
    def build(user="", scheme="smtp", tls=None, timeout_seconds=5.0):
        return Mailer(
            f"{scheme}://{user}127.0.0.1:{smtp.port}",
            sender="shop@holdfast.example",
            timeout_seconds=timeout_seconds,
            tls=tls,
        )

    return build


class TestSend:
    async def test_the_server_gets_the_message_as_written(self, smtp, mailer, email):
        written = email()

        await mailer().send(written)

        (message,) = smtp.messages
        assert message["From"] == "shop@holdfast.example"
        assert message["To"] == "ada@example.com"
        assert message["Subject"] == "Your order HF-1001"
        assert message["Date"] == "Fri, 27 Nov 2026 08:00:00 +0000"
        assert message["Message-ID"] == f"<{written.id}@holdfast.example>"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message.get_content().strip() == "Thank you, Zoë."

    async def test_the_message_id_is_the_same_each_time(self, smtp, mailer, email):
        written = email()

        await mailer().send(written)
        await mailer().send(written)

        first, second = (message["Message-ID"] for message in smtp.messages)
        assert first == second

    async def test_a_trouble_after_it_was_taken_is_none(self, smtp, mailer, email):
        smtp.answers["QUIT"] = "hang up"

        await mailer().send(email())

        assert len(smtp.messages) == 1

    @pytest.mark.parametrize(
        ("recipient", "subject"),
        [
            ("ada@example.com, eve@example.com", "Hello"),
            ("ada@example.com\r\nBcc: eve@example.com", "Hello"),
            ("Ada <ada@example.com>", "Hello"),
            ("", "Hello"),
            ("ada@example.com", "Hello\r\nBcc: eve@example.com"),
        ],
    )
    async def test_nobody_adds_a_header_or_a_recipient(
        self, smtp, mailer, email, recipient, subject
    ):
        with pytest.raises(MailRefused):
            await mailer().send(email(recipient, subject))

        assert smtp.heard == []

    @pytest.mark.parametrize(
        ("verb", "answer"),
        [
            ("RCPT", "550 no such mailbox"),
            ("message", "554 looks like spam"),
        ],
    )
    async def test_what_the_server_refuses_for_good_is_refused(
        self, smtp, mailer, email, verb, answer
    ):
        smtp.answers[verb] = answer

        with pytest.raises(MailRefused) as refusal:
            await mailer().send(email())

        assert refusal.value.reason == answer

    @pytest.mark.parametrize(
        ("verb", "answer"),
        [
            ("connect", "421 too busy"),
            ("RCPT", "451 greylisted, come again"),
            ("message", "452 disk full"),
            ("MAIL", "550 your address is not allowed to send"),
            ("DATA", "hang up"),
            ("EHLO", "hang up"),
        ],
    )
    async def test_what_may_pass_is_for_later(self, smtp, mailer, email, verb, answer):
        smtp.answers[verb] = answer

        with pytest.raises(MailServerUnavailable):
            await mailer().send(email())

        assert smtp.messages == [] or verb == "message"

    async def test_no_server_is_for_later(self, email):
        with pytest.raises(MailServerUnavailable):
            await Mailer("smtp://127.0.0.1:1", sender="a@b.example").send(email())

    async def test_an_address_outside_ascii_needs_a_server_that_knows_it(
        self, smtp, mailer, email
    ):
        await mailer().send(email("zoë@example.com"))
        smtp.extensions.remove("SMTPUTF8")

        with pytest.raises(MailRefused):
            await mailer().send(email("zoë@example.com"))

        assert len(smtp.messages) == 1


class TestEncryption:
    async def test_no_password_is_sent_without(self, smtp, mailer, email):
        smtp.extensions.append("AUTH PLAIN")

        with pytest.raises(MailServerUnavailable) as trouble:
            await mailer(user="shop:s3cret@").send(email())

        assert trouble.value.reason == "A password needs TLS, which is not offered."
        assert [line.split()[0] for line in smtp.heard] == ["ehlo"]

    async def test_is_taken_up_when_offered_before_signing_in(
        self, smtp, mailer, email, certificate
    ):
        chain, key = certificate
        smtp.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        smtp.tls.load_cert_chain(chain, key)
        smtp.extensions = ["STARTTLS", "AUTH PLAIN"]
        trusting = ssl.create_default_context(cafile=chain)

        await mailer(user="shop:s%40cret@", tls=trusting).send(email())

        verbs = [line.split()[0].upper() for line in smtp.heard]
        assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
        assert len(smtp.messages) == 1

    async def test_a_certificate_nobody_vouches_for_is_not_trusted(
        self, smtp, mailer, email, certificate
    ):
        chain, key = certificate
        smtp.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        smtp.tls.load_cert_chain(chain, key)
        smtp.extensions = ["STARTTLS"]

        with pytest.raises(MailServerUnavailable):
            await mailer().send(email())

        assert smtp.messages == []

    async def test_a_wrong_password_is_for_later(
        self, smtp, mailer, email, certificate
    ):
        chain, key = certificate
        smtp.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        smtp.tls.load_cert_chain(chain, key)
        smtp.extensions = ["STARTTLS", "AUTH PLAIN"]
        smtp.answers["AUTH"] = "535 who are you"
        trusting = ssl.create_default_context(cafile=chain)

        with pytest.raises(MailServerUnavailable):
            await mailer(user="shop:wrong@", tls=trusting).send(email())

    async def test_smtps_speaks_it_from_the_start(
        self, smtp, mailer, email, certificate
    ):
        with pytest.raises(MailServerUnavailable):
            await mailer(scheme="smtps", timeout_seconds=0.5).send(email())

        assert "ehlo" not in smtp.heard


class TestProtected:
    """A server that is gone is left alone; the e-mails wait in their queue."""

    @pytest.fixture
    def circuits(self):
        return Circuits()

    @pytest.fixture
    def at(self, circuits):
        """The shop's mailer for a server, as the worker has it."""

        def build(port):
            settings = Settings.read({"HOLDFAST_MAIL_URL": f"smtp://127.0.0.1:{port}"})
            return mailer_of(settings, circuits)

        return build

    async def test_a_server_that_is_gone_is_not_asked_any_more(
        self, at, email, circuits
    ):
        gone, breaker = at(1), circuits[MAIL].breaker
        for _ in range(5):
            with pytest.raises(MailServerUnavailable):
                await gone.send(email())
        assert breaker.state is State.OPEN

        with pytest.raises(MailServerUnavailable):
            await gone.send(email())

        assert breaker.standing().calls == 0

    async def test_refusals_are_answers(self, at, smtp, email, circuits):
        smtp.answers["RCPT"] = "550 no such mailbox"
        for _ in range(25):
            with pytest.raises(MailRefused):
                await at(smtp.port).send(email())

        standing = circuits[MAIL].breaker.standing()
        assert (standing.state, standing.calls) == (State.CLOSED, 25)
        assert standing.failures == 0

    async def test_a_server_that_has_no_room_for_one_may_have_for_another(
        self, at, smtp, email, circuits
    ):
        smtp.answers["RCPT"] = "451 greylisted"
        for _ in range(10):
            with pytest.raises(MailServerUnavailable):
                await at(smtp.port).send(email())

        assert circuits[MAIL].breaker.state is State.CLOSED

    async def test_a_server_that_hangs_up_counts_as_gone(
        self, at, smtp, email, circuits
    ):
        smtp.answers["EHLO"] = "hang up"
        for _ in range(5):
            with pytest.raises(MailServerUnavailable):
                await at(smtp.port).send(email())

        assert circuits[MAIL].breaker.state is State.OPEN
