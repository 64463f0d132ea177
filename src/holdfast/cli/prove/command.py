"""Runs the proof: what is done to a fresh shop, and what is made of it.

Lets clients buy from a shop whose processes are killed, whose database crashes and
whose cache is emptied, writes down everything that the clients are told, and holds that
against the database and the provider's books. Exits with 1 when a promise was broken,
with 2 when it could not be found out.
"""

import asyncio
import os
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from holdfast.cli.prove import blows, evidence, goods, judging, levels, sabotage
from holdfast.cli.prove.blows import Ordeal, Struck
from holdfast.cli.prove.clients import Task
from holdfast.cli.prove.duplicates import Duplicates
from holdfast.cli.prove.facts import Facts
from holdfast.cli.prove.goods import Goods
from holdfast.cli.prove.history import Said, read
from holdfast.cli.prove.instance import CannotProve, Shop, fresh
from holdfast.cli.prove.page import page
from holdfast.cli.prove.provider import misbehaving
from holdfast.cli.prove.report import Part, Report
from holdfast.cli.prove.sale import Sale
from holdfast.cli.prove.size import FULL, QUICK, Size
from holdfast.cli.prove.verdict import Verdict
from holdfast.kernel.clock import monotonic
from holdfast.platform.db import Database
from holdfast.platform.embedded import CannotStart, Interrupted, Signals
from holdfast.platform.settings import BadSettings, Secret, Settings

OVERSELL, CHARGES, BOOKS = "oversell", "charges", "books"
PARTS = (OVERSELL, CHARGES, BOOKS)
_REST_SECONDS = 60.0
_ROUNDS = 3
_LATE_BUYERS = 12


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    quick: bool = False
    seed: int = 20
    only: tuple[str, ...] = PARTS
    as_json: bool = False
    html: Path | None = None
    keep: Path | None = None
    """A folder for histories, logs and the report."""
    sabotage: str | None = None

    @property
    def size(self) -> Size:
        return QUICK if self.quick else FULL


def parts(only: str) -> tuple[str, ...]:
    """Those that are named, in their order; ``BadSettings`` for any other name."""
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    if not wanted or wanted - set(PARTS):
        raise BadSettings(f"--only is some of {','.join(PARTS)}")
    return tuple(name for name in PARTS if name in wanted)


def sabotage_of(kind: str | None) -> str | None:
    """What to break on purpose; ``BadSettings`` if nobody knows how."""
    if kind is not None and kind not in sabotage.KINDS:
        raise BadSettings(f"--sabotage is one of {', '.join(sabotage.KINDS)}")
    return kind


def run(options: Options) -> None:
    """Prove and report; raises ``SystemExit``."""
    started = monotonic()
    environ = Settings.from_environment().raw
    signals = Signals()
    with signals.listening():
        try:
            with fresh(environ, signals, options.size) as shop:
                try:
                    report = _Proof(options, shop).report()
                finally:
                    if options.keep is not None:
                        _keep(shop.home, options.keep)
        except Interrupted:
            print("holdfast prove: stopped", file=sys.stderr)
            raise SystemExit(130) from None
        except (CannotProve, CannotStart, OSError) as problem:
            print(f"holdfast prove: {problem}", file=sys.stderr)
            if tail := getattr(problem, "tail", ""):
                print(tail, file=sys.stderr)
            raise SystemExit(2) from None
    report.seconds = monotonic() - started
    # Ours and that of every process we have waited for: all of them.
    report.cpu_seconds = sum(os.times()[:4])
    if options.html is not None:
        options.html.write_text(page(report), "utf-8")
    if options.keep is not None:
        (options.keep / "report.txt").write_text(report.text() + "\n", "utf-8")
        (options.keep / "report.json").write_text(report.json() + "\n", "utf-8")
    print(report.json() if options.as_json else report.text())
    raise SystemExit(0 if report.kept else 1)


def _keep(home: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("*.jsonl", "*.log"):
        for path in home.glob(pattern):
            shutil.copy(path, folder)


@dataclass
class _Proof:
    """One run over one shop."""

    options: Options
    shop: Shop
    dice: random.Random = field(init=False)
    goods: Goods = field(init=False)
    histories: dict[str, list[Said]] = field(default_factory=dict)
    struck: dict[str, list[Struck]] = field(default_factory=dict)
    scenes: list[str] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.options.seed)  # noqa: S311 - the same each time
        self.goods = goods.goods(self.options.size.units)

    def report(self) -> Report:
        """Do all that was asked for, and judge it."""
        asyncio.run(self._stock_up())
        doing: dict[str, Callable[[], None]] = {
            OVERSELL: self._oversell,
            CHARGES: self._charges,
        }
        for part, do in doing.items():
            if part in self.options.only:
                _tell(part)
                begun = monotonic()
                do()
                self.took[part] = monotonic() - begun
        _tell("books")
        begun = monotonic()
        if self.options.sabotage is not None:
            asyncio.run(sabotage.commit(self.options.sabotage, self.shop.settings()))
        judged = asyncio.run(self._judge())
        self.took[BOOKS] = monotonic() - begun
        for one in judged:
            one.seconds = self.took.get(one.name, 0.0)
        return Report(judged, self.options.size, self.options.seed)

    async def _stock_up(self) -> None:
        url = Secret(self.shop.database_url)
        db = await Database.connect(url, size=1)
        try:
            await goods.stock_up(db, self.goods)
        finally:
            await db.close()

    def _oversell(self) -> None:
        size = self.options.size
        sale = Sale(
            ports=self.shop.ports,
            buyers=size.buyers,
            attempts=size.attempts,
            units=size.units,
            hot=goods.HOT,
            warm=self.goods.warm,
            hold_seconds=float(size.hold_seconds),
            seed=self.dice.getrandbits(32),
        )
        self._play(OVERSELL, sale, hits=size.blows)
        for _ in range(_ROUNDS):
            left = asyncio.run(self._left())
            if not left:
                break
            # Who left has made room: others come and buy what there is.
            rest = {"attempts": 20 * left + 60, "buyers": _LATE_BUYERS}
            late = {"everybody_stays": True, "units": left}
            self._play(OVERSELL, msgspec.structs.replace(sale, **rest, **late), hits=0)

    def _charges(self) -> None:
        size = self.options.size
        clicks = Duplicates(
            ports=self.shop.ports,
            carts=size.carts,
            duplicates=size.duplicates,
            at_once=size.carts_at_once,
            skus=self.goods.plenty,
            seed=self.dice.getrandbits(32),
        )
        asyncio.run(self._ask_whoever_fails())
        payment = self.shop.simulators["payment"]
        seed = self.dice.getrandbits(16)
        with misbehaving(
            payment.url, seed=seed, wait=self.shop.signals.wait
        ) as provider:
            hits = size.blows_at_checkouts
            self._play(CHARGES, clicks, hits=hits, meanwhile=provider.turn)
        self.scenes = provider.played

    def _play(
        self,
        part: str,
        play: Sale | Duplicates,
        *,
        hits: int,
        meanwhile: Callable[[float], None] | None = None,
    ) -> None:
        history = self.shop.home / f"{part}.jsonl"
        ordeal = Ordeal(
            self.shop,
            blows.plan(hits, dice=self.dice),
            self.dice,
            self.options.size.limit_seconds,
            meanwhile=meanwhile,
        )
        ordeal.run(Task(str(history), play))
        self.histories[part] = read(history)
        self.struck.setdefault(part, []).extend(ordeal.struck)

    async def _ask_whoever_fails(self) -> None:
        async with evidence.opened(self.shop.settings()) as books:
            await books.ask_whoever_fails()

    async def _left(self) -> int:
        """Units of the sale that nobody has, once everything has come to rest."""
        async with evidence.opened(self.shop.settings()) as books:
            await books.rest(_REST_SECONDS, tick=self.shop.signals.check)
            facts = await books.facts(self.goods.units)
        return sum(level.available for level in facts.levels)

    async def _judge(self) -> list[Part]:
        async with evidence.opened(self.shop.settings()) as books:
            await books.rest(_REST_SECONDS, tick=self.shop.signals.check)
            facts = await books.facts(self.goods.units)
            changes = await books.changes()
            own = await books.verdicts()
        judges = {
            OVERSELL: lambda: _oversold(
                self.histories[OVERSELL], facts, changes, self.goods
            ),
            CHARGES: lambda: _charged(self.histories[CHARGES], facts),
            BOOKS: lambda: _balanced(self.histories, facts, own),
        }
        return [
            Part(
                name,
                judges[name](),
                self.histories.get(name, []),
                self.struck.get(name, []),
                self.scenes if name == CHARGES else [],
            )
            for name in PARTS
            if name in self.options.only
        ]


def _oversold(
    history: list[Said], facts: Facts, changes: list[levels.Change], wanted: Goods
) -> list[Verdict]:
    return [
        judging.units_add_up(facts.levels, facts.orders),
        levels.replay(changes),
        levels.never_falsely_sold_out(history, changes),
        judging.never_beyond_stock(history, wanted.units),
        judging.told_orders_exist(history, facts.orders),
        judging.everything_sold(facts.levels),
        judging.holds_end(facts.levels),
        judging.only_honest_answers(history),
    ]


def _charged(history: list[Said], facts: Facts) -> list[Verdict]:
    carts = {said.cart for said in history}
    orders = [order for order in facts.orders if order.cart in carts]
    return [
        judging.one_order_a_cart(orders),
        judging.one_capture_an_order(orders, facts.charges),
        judging.same_answer_to_one_key(history),
        judging.nothing_for_nothing(facts.orders, facts.charges),
        judging.told_orders_exist(history, facts.orders),
        judging.only_honest_answers(history),
    ]


def _balanced(
    histories: dict[str, list[Said]], facts: Facts, own: list[Verdict]
) -> list[Verdict]:
    everything = [said for history in histories.values() for said in history]
    return [
        *own,
        judging.captured_is_paid(facts.orders, facts.charges),
        judging.one_capture_an_order(facts.orders, facts.charges),
        judging.one_order_a_cart(facts.orders),
        judging.told_orders_exist(everything, facts.orders),
    ]


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)
