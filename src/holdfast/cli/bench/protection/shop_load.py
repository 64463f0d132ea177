"""What people want of a shop: 70 % look, 20 % search, 10 % pay.

Each request comes from an address of its own, as by a proxy that the shop trusts: what
is counted by address is counted as on any day. Looking is product pages, and one list
of twenty for every six of them; paying is the checkout of a cart that was filled
before, each with a token and a key of its own.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

import aiohttp

from holdfast.api.shop import Shop, opened
from holdfast.cli.bench.connection import post
from holdfast.cli.bench.dataset import SEARCHES, Dataset, dataset, load
from holdfast.cli.bench.instance import CannotBench, Instance
from holdfast.cli.bench.journeys import cart
from holdfast.cli.bench.protection.plan import Kind, Phase, Plan, needed
from holdfast.cli.bench.protection.rig import Rig
from holdfast.cli.bench.stages import Stages, shuffled
from holdfast.domain import ordering
from holdfast.domain.ordering import Cart, NewLine
from holdfast.kernel import tokens
from holdfast.kernel.clock import monotonic
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, Transaction
from holdfast.platform.settings import Settings

BROWSE, SEARCH, CHECKOUT = "browse", "search", "checkout"
SHARES: Mapping[str, float] = {BROWSE: 0.7, SEARCH: 0.2, CHECKOUT: 0.1}
PROXY = {"HOLDFAST_TRUSTED_PROXIES": "127.0.0.0/8"}
"""Whom the shop believes about addresses: the load generator."""
_PRODUCTS_A_PAGE = 6
_REQUESTS = 4_096
_TEMPLATES = 40
_BATCH = 250
_CONNECTIONS = 4
_REST_SECONDS = 30.0
_AT_REST_SECONDS = 0.1
_ASKED_AGAIN = 40
_PAY = b'{"payment_method":"pm_card_ok"}'
_CREATED = 201
_chance = random.Random(20)  # noqa: S311 - the same load each time


@dataclass(frozen=True, slots=True)
class Mall:
    """A shop that is full, open, and has carts to pay for."""

    instance: Instance
    rig: Rig
    _shop: Shop
    _looks: Sequence[bytes]
    _searches: Sequence[bytes]
    _templates: Sequence[Cart]
    _carts: list[bytes] = field(default_factory=list)

    async def plan(self, phases: list[Phase], **more: object) -> Plan:
        """A plan of these phases, with carts enough."""
        kinds = [
            Kind(BROWSE, list(self._looks)),
            Kind(SEARCH, list(self._searches)),
            Kind(CHECKOUT, [], _CREATED, once=True),
        ]
        plan = Plan(
            "127.0.0.1",
            self.instance.port,
            kinds,
            phases,
            connections=self.rig.connections,
            poisson=self.rig.poisson,
            core=self.rig.cores.load,
        )
        for name, value in more.items():
            setattr(plan, name, value)
        missing = needed(plan, 2) - len(self._carts)
        if missing > 0:
            await self._fill(missing)
        kinds[2].requests = [self._carts.pop() for _ in range(needed(plan, 2))]
        return plan

    async def rest(self) -> None:
        """Wait until the shop has nothing left to do; ``CannotBench``."""
        url = f"http://127.0.0.1:{self.instance.port}/readyz"
        patient = aiohttp.ClientTimeout(total=_REST_SECONDS)
        began = monotonic()
        async with aiohttp.ClientSession(trust_env=False, timeout=patient) as session:
            while monotonic() - began < _REST_SECONDS:
                asked = monotonic()
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(url) as answer:
                        took = monotonic() - asked
                        if answer.ok and took < _AT_REST_SECONDS:
                            return
                await asyncio.sleep(_AT_REST_SECONDS)
        raise CannotBench(f"The shop is not ready {_REST_SECONDS:g} s after the load.")

    def clocks(self) -> Mapping[str, float]:
        """CPU seconds of each part, and the memory of the API in MB of 10^6 bytes."""
        memory = sum(self.instance.api_memory_mb())
        return {**self.instance.cpu_seconds(), "memory_mb": memory}

    async def _fill(self, count: int) -> None:
        """Put so many carts into the shop, as if people had filled them."""
        sizes = [_BATCH] * -(-count // _BATCH)
        async with asyncio.TaskGroup() as group:
            for number in range(_CONNECTIONS):
                group.create_task(self._fill_some(sizes[number::_CONNECTIONS]))

    async def _fill_some(self, sizes: Sequence[int]) -> None:
        for size in sizes:
            async with self._shop.db.transaction() as tx:
                for _ in range(size):
                    self._carts.append(await self._filled(tx))

    async def _filled(self, tx: Transaction) -> bytes:
        """Store a cart like one of the templates; the request that pays for it."""
        like, token = _chance.choice(self._templates), tokens.new_token(tokens.CART)
        filled = replace(like, id=new_id(), token_hash=tokens.fingerprint(token))
        lines = [NewLine(new_id(), n.variant_id, n.quantity) for n in like.lines]
        await ordering.open_cart(tx, self._shop.vault, filled, lines)
        who = b"authorization: Bearer %s\r\nidempotency-key: pay-%s\r\n%s" % (
            token.encode(),
            str(filled.id).encode(),
            _address(),
        )
        return post(b"/v1/carts/%s/checkout" % str(filled.id).encode(), _PAY, who)


def rates(total: float, *, checkouts: float | None = None) -> list[float]:
    """Requests a second of each kind.

    With *checkouts* that many are paid for, and the rest is looked at and searched.
    """
    if checkouts is None:
        return [total * share for share in SHARES.values()]
    others = SHARES[BROWSE] + SHARES[SEARCH]
    rest = total - checkouts
    return [
        rest * SHARES[BROWSE] / others,
        rest * SHARES[SEARCH] / others,
        checkouts,
    ]


class Opened:
    """A full shop, as a context: *instance* runs already."""

    def __init__(self, instance: Instance, rig: Rig) -> None:
        self._instance = instance
        self._rig = rig
        settings = {"HOLDFAST_ENV": "development", **instance.addresses}
        self._opening = opened(Settings.read(settings))

    async def __aenter__(self) -> Mall:
        self._rig.tell("filling the shop")
        names, instance = dataset(), self._instance
        db = await Database.connect(instance.addresses["DATABASE_URL"], size=2)
        try:
            await load(db)
            stages = Stages(instance, db, names, self._rig.seconds)
            await stages.begin()
            pages = await stages.page_paths()
        finally:
            await db.close()
        shop = await self._opening.__aenter__()
        return Mall(
            instance,
            self._rig,
            shop,
            _looks(names, pages),
            [_get(f"/v1/products?q={n.replace(' ', '+')}") for n in _many(SEARCHES)],
            await _templates(instance, shop, names),
        )

    async def __aexit__(self, *exception: object) -> None:
        await self._opening.__aexit__(None, None, None)


def _looks(names: Dataset, pages: Sequence[str]) -> list[bytes]:
    kinds = [*[names.handles] * _PRODUCTS_A_PAGE, pages]
    found = []
    for _ in range(_REQUESTS):
        chosen = _chance.choice(kinds)
        what = _chance.choice(chosen)
        found.append(_get(what if chosen is pages else f"/v1/products/{what}"))
    return found


def _many(things: Sequence[str]) -> list[str]:
    return [_chance.choice(things) for _ in range(_REQUESTS)]


def _get(path: str) -> bytes:
    return b"GET %s HTTP/1.1\r\nhost: shop\r\n%s\r\n" % (path.encode(), _address())


def _address() -> bytes:
    """A header field: one of four million addresses."""
    a, b, c = _chance.randrange(64), _chance.randrange(256), _chance.randrange(256)
    return b"x-forwarded-for: 100.%d.%d.%d\r\n" % (64 + a, b, c)


async def _templates(instance: Instance, shop: Shop, names: Dataset) -> list[Cart]:
    """Carts that are ready to be paid, made as anybody makes one."""
    found = []
    url = f"http://127.0.0.1:{instance.port}/v1/carts"
    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(trust_env=False, headers=headers) as session:
        for sku in shuffled(names.skus, _TEMPLATES):
            cart_id = await _made(session, url, cart([sku]))
            async with shop.db.statement() as connection:
                found.append(await ordering.find_cart(connection, shop.vault, cart_id))
    return found


async def _made(session: aiohttp.ClientSession, url: str, body: bytes) -> UUID:
    """The id of a new cart; a shop that is pressed is asked again."""
    status = 0
    for _ in range(_ASKED_AGAIN):
        async with session.post(url, data=body) as answer:
            status = answer.status
            if status == _CREATED:
                return UUID((await answer.json())["id"])
        await asyncio.sleep(_AT_REST_SECONDS)
    raise CannotBench(f"A cart is answered {status}.")
