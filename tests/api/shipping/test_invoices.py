"""Who bought fetches the invoice, and operators; nobody else."""

import io

import pypdf
import pytest

from holdfast.kernel import tokens
from holdfast.platform.settings import Settings


@pytest.fixture
def settings(settings):
    seller = "Holdfast Trading | 1 Quay, Rotterdam"
    return Settings.read({**settings.raw, "HOLDFAST_INVOICE_SELLER": seller})


def text_of(answer):
    return pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()


class TestInvoice:
    async def test_is_for_the_buyer(self, buy_something, client):
        order = await buy_something(name="Αδα Лавлейс")

        answer = await client.get(f"{order.path}/invoice.pdf", headers=order.buyer)

        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="invoice-{order.number}.pdf"'
        )
        text = text_of(answer)
        assert "Holdfast Trading" in text
        assert "Αδα Лавлейс" in text
        assert order.number in text

    async def test_is_for_operators(self, buy_something, client, packer):
        order = await buy_something()

        answer = await client.get(f"{order.path}/invoice.pdf", headers=packer)

        assert answer.status_code == 200

    async def test_is_for_nobody_else(self, buy_something, client):
        order = await buy_something()
        stranger = {"Authorization": f"Bearer {tokens.new_token(tokens.CART)}"}

        answer = await client.get(f"{order.path}/invoice.pdf", headers=stranger)

        assert answer.json()["type"] == "/problems/order-not-found"

    async def test_is_there_once_the_order_is_confirmed(self, buy_something, client):
        order = await buy_something(method="pm_card_3ds")

        answer = await client.get(f"{order.path}/invoice.pdf", headers=order.buyer)

        assert answer.status_code == 409
        assert answer.json()["status"] == 409
        assert answer.json()["type"] == "/problems/invoice-not-ready"

    async def test_is_the_same_as_long_as_the_order_is(self, buy_something, client):
        order = await buy_something()
        path = f"{order.path}/invoice.pdf"

        first = await client.get(path, headers=order.buyer)
        second = await client.get(path, headers=order.buyer)

        assert first.content == second.content
