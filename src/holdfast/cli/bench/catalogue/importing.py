"""A file of products taken in by the API, with others reading all the while.

JSON Lines are sent to ``POST /v1/imports`` and worked off by the worker. The time goes
from the first byte sent to the job's end. Memory is looked at every tenth of a second.
Who reads does so at a fixed rate, before and during the import, and the times count
from when each read was due: what an import does to readers is the ratio of the two.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from holdfast.cli.bench.catalogue.filling import Filled
from holdfast.cli.bench.catalogue.generated import arrivals, line
from holdfast.cli.bench.connection import get
from holdfast.cli.bench.instance import CannotBench, Instance
from holdfast.cli.bench.protection.drive import drive
from holdfast.cli.bench.protection.plan import Count, Kind, Phase, Plan, Seen
from holdfast.kernel.clock import monotonic, system_clock
from holdfast.platform.embedded import Home

RATE = 200.0
"""Reads a second: a small part of what a process of the API answers."""
_CONNECTIONS = 16
_LIMIT_SECONDS = 5.0
_READS = 2_000
_LISTS = 10
_SLOWEST = 250
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_ASK_SECONDS = 0.25
_ACCEPTED, _PRESSED = 201, 503
_ASKED_AGAIN = 40


@dataclass(frozen=True, slots=True)
class Import:
    """What came of it."""

    variants: int
    products: int
    megabytes: float
    seconds: float
    peak_mb: Mapping[str, float]
    """Most memory a process of each part held, in MB of 10^6 bytes."""
    quiet: Seen
    during: Seen
    lasted: bool
    """Whether it went on for as long as readers were looked at."""
    refused: int

    @property
    def rate(self) -> float:
        """Variants a second."""
        return self.variants / self.seconds

    @property
    def p99_ms(self) -> tuple[float, float]:
        """Of reads, before it and during it."""
        return _reads(self.quiet).served.p99, _reads(self.during).served.p99

    @property
    def ratio(self) -> float:
        quiet, during = self.p99_ms
        return round(during / max(quiet, 1e-9), 2)

    @property
    def faults(self) -> list[str]:
        """What must not happen, in sentences."""
        found = [f"Import: {self.refused:,} rows were refused."] if self.refused else []
        for seen in (self.quiet, self.during):
            failed = _reads(seen).errors.items()
            found += [f"{seen.name}: {n:,} x {error}" for error, n in failed]
        return found

    @property
    def voids(self) -> list[str]:
        """Why nothing follows from the times of readers."""
        found = [v for s in (self.quiet, self.during) if (v := s.void) is not None]
        if not self.lasted:
            found.append(
                "Import: it ended while readers were looked at; take more variants."
            )
        for seen in (self.quiet, self.during):
            lost = _reads(seen)
            if lost.refused + lost.unsent + lost.given_up > lost.due / 100:
                found.append(f"{seen.name}: readers were turned away.")
        return found


@dataclass
class Memory:
    """Looks at how much memory the parts hold, for as long as it is entered."""

    shop: Instance
    peak_mb: dict[str, float] = field(default_factory=dict)

    async def watch(self) -> None:
        """Look again and again; ends by being cancelled."""
        parts = self.shop.parts()
        while True:
            for part in ("api", "worker"):
                for process in parts[part]:
                    with suppress(psutil.Error):
                        held = round(process.memory_info().rss / 1e6, 1)
                        self.peak_mb[part] = max(held, self.peak_mb.get(part, 0.0))
            await asyncio.sleep(_LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports into one shop."""

    shop: Instance
    filled: Filled
    seconds: float
    """That readers are looked at, before and during it."""
    core: int | None = None

    async def measure(self, names: Sequence[str], variants: int) -> Import:
        """Take so many variants in that are not there yet; ``CannotBench``."""
        path = self.shop.home.parent / "products.jsonl"
        products = await asyncio.to_thread(
            _write, path, names, variants, self.filled.products
        )
        size = path.stat().st_size
        quiet = await self._read("before the import")
        memory = Memory(self.shop)
        key = Home(self.shop.home).operator_key.read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{self.shop.port}", trust_env=False, headers=headers
        ) as session:
            watching = asyncio.create_task(memory.watch(), name="watch_memory")
            try:
                began = system_clock()
                job = await _send(session, path)
                during = await self._read("during the import")
                now = await _job(session, job["id"])
                lasted = now is None or now["finished_at"] is None
                job = await _ended(session, job["id"], variants)
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
        path.unlink()
        # By the job's own word, which is of the same clock.
        seconds = (datetime.fromisoformat(job["finished_at"]) - began).total_seconds()
        return Import(
            variants,
            products,
            size / 1e6,
            seconds,
            memory.peak_mb,
            quiet,
            during,
            lasted,
            job["refused"],
        )

    async def _read(self, name: str) -> Seen:
        """Let readers read for a while."""
        handles = self.filled.handles
        step = max(1, len(handles) // _READS)
        reads = [get(f"/v1/products/{handle}") for handle in handles[::step]]
        # One of ten looks at a list.
        reads[::_LISTS] = [get("/v1/products?limit=20")] * len(reads[::_LISTS])
        plan = Plan(
            "127.0.0.1",
            self.shop.port,
            [Kind("read", reads)],
            [
                Phase("warm", self.seconds / 4, [RATE]),
                Phase(name, self.seconds, [RATE]),
            ],
            connections=_CONNECTIONS,
            limit_seconds=_LIMIT_SECONDS,
            core=self.core,
        )
        return (await drive(plan)).report.named(name)


def _reads(seen: Seen) -> Count:
    return seen.kind("read")


def _write(path: Path, names: Sequence[str], variants: int, first: int) -> int:
    """Write products that the shop does not have to a file; how many they are."""
    count = 0
    with path.open("wb") as file:
        for arrival in arrivals(names, variants, first=first):
            file.write(line(arrival))
            count += 1
    return count


async def _send(session: aiohttp.ClientSession, path: Path) -> Any:
    headers = {"content-type": "application/jsonl", "idempotency-key": "bench-import"}
    status = 0
    for _ in range(_ASKED_AGAIN):
        with path.open("rb") as file:
            sent = session.post("/v1/imports", data=file, headers=headers)
            async with sent as answer:
                status = answer.status
                if status == _ACCEPTED:
                    return await answer.json()
        if status != _PRESSED:
            break
        await asyncio.sleep(_ASK_SECONDS)
    raise CannotBench(f"The import is answered {status}.")


async def _job(session: aiohttp.ClientSession, job_id: str) -> Any:
    """How far the import is; None while the shop has no time to say so."""
    async with session.get(f"/v1/imports/{job_id}") as answer:
        return await answer.json() if answer.ok else None


async def _ended(session: aiohttp.ClientSession, job_id: str, variants: int) -> Any:
    patience = _START_SECONDS + variants / _SLOWEST
    give_up = monotonic() + patience
    while monotonic() < give_up:
        job = await _job(session, job_id)
        if job is not None and job["finished_at"] is not None:
            if job["status"] != "completed":
                raise CannotBench(f"The import {job['status']}: {job['failure']}.")
            return job
        await asyncio.sleep(_ASK_SECONDS)
    raise CannotBench(f"The import has not ended after {patience:,.0f} s.")
