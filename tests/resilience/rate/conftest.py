"""A clock for buckets, and a cluster of three servers."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from holdfast.platform.embedded.ports import free_port
from holdfast.platform.embedded.valkey import wheel_program
from holdfast.resilience.rate.script import tag_of

PATIENCE_SECONDS = 30


class HandTimer:
    """Monotonic seconds, kept as whole microseconds."""

    def __init__(self) -> None:
        self.micros = 50_000_000_000

    def __call__(self) -> float:
        return self.micros / 1_000_000

    def advance(self, micros: int) -> None:
        self.micros += micros


@pytest.fixture
def timer() -> HandTimer:
    return HandTimer()


@pytest.fixture
def turns() -> Callable[[], Awaitable[None]]:
    """Let everything happen that waits for nothing but its turn of the loop."""

    async def pass_by() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    return pass_by


class Node:
    """One server of a cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.port = free_port()
        self.bus = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"redis://{self.name}"

    def start(self) -> None:
        arguments = {
            "port": self.port,
            "cluster-port": self.bus,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "cluster-enabled": "yes",
            "cluster-node-timeout": 2_000,
            # Two thirds of the callers need not suffer because a third does.
            "cluster-require-full-coverage": "no",
            "save": "",
        }
        words = [w for k, v in arguments.items() for w in (f"--{k}", str(v))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own server
                [str(wheel_program()), *words], stdout=log, stderr=log
            )
        self.wait(lambda: self.ask("PING"))

    def ask(self, *words):
        with Redis(port=self.port, socket_timeout=5, retry=None) as client:
            return client.execute_command(*words)

    def wait(self, condition) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS  # noqa: TID251 - a real server
        while time.monotonic() < ends:  # noqa: TID251
            try:
                if condition():
                    return
            except (RedisError, OSError):
                pass
            time.sleep(0.02)
        raise TimeoutError((self.folder / "log").read_text()[-2_000:])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @contextmanager
    def stopped(self):
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


class ThreeNodes:
    """A cluster in which each node has a third of the slots."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder / str(number)) for number in range(3)]

    def start(self) -> None:
        for number, node in enumerate(self.nodes):
            node.start()
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            first, last = 16_384 * number // 3, 16_384 * (number + 1) // 3 - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        self.settle()

    def settle(self) -> None:
        """Wait until every node knows who has which slot, and all are there."""
        for node in self.nodes:
            node.wait(lambda node=node: self._agrees(node))

    def _agrees(self, node: Node) -> bool:
        info = node.ask("CLUSTER", "INFO")
        text = info if isinstance(info, str) else info.decode()
        return (
            "cluster_slots_ok:16384" in text.replace("\r", "")
            and "cluster_state:ok" in text
            and len(node.ask("CLUSTER", "LINKS")) >= 4
        )

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()

    def node_of(self, subject: str) -> Node:
        slot = key_slot(tag_of(subject).encode())
        for first, last, (_, port, *_), *_ in self.nodes[0].ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(slot)

    @contextmanager
    def moving(self, subject: str) -> Iterator[tuple[Node, Node]]:
        """The slot of *subject* is on its way to another node until the end."""
        slot = key_slot(tag_of(subject).encode())
        source = self.node_of(subject)
        target = next(node for node in self.nodes if node is not source)
        ids = {node: text(node.ask("CLUSTER", "MYID")) for node in (source, target)}
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
        yield source, target
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *keys)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[target])


def text(value) -> str:
    return value if isinstance(value, str) else value.decode()


@pytest.fixture(scope="module")
def three_nodes(tmp_path_factory) -> Iterator[ThreeNodes]:
    cluster = ThreeNodes(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
