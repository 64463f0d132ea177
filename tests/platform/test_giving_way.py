"""Long work lets go of its core soon, wherever it is done."""

import ctypes
import os
import platform
import re
import struct
import threading

import asyncpg
import pytest

from holdfast.platform.giving_way import GivingWay

GET_ATTRIBUTES = {"x86_64": 315, "aarch64": 275}
ATTRIBUTES = struct.Struct("IIQiIQQQ")
SHORTEST_NS = 100_000

pytestmark = pytest.mark.skipif(
    tuple(int(n) for n in re.findall(r"\d+", platform.release())[:2]) < (6, 12)
    or platform.machine() not in GET_ATTRIBUTES,
    reason="slices of one's own came with Linux 6.12",
)


def slice_of(pid):
    """Nanoseconds that a thread or process runs before others have their turn."""
    told = ctypes.create_string_buffer(ATTRIBUTES.size)
    number = GET_ATTRIBUTES[platform.machine()]
    assert ctypes.CDLL(None).syscall(number, pid, told, ATTRIBUTES.size, 0) == 0
    return ATTRIBUTES.unpack(told.raw)[5]


class TestGivingWay:
    def test_is_of_the_thread_that_asks_and_no_other(self):
        seen = []

        def work(giving_way):
            os.setpriority(os.PRIO_PROCESS, 0, 5)
            giving_way.thread()
            giving_way.thread()
            nice = os.getpriority(os.PRIO_PROCESS, 0)
            seen.append((slice_of(0), os.sched_getscheduler(0), nice))

        thread = threading.Thread(target=work, args=(GivingWay(),))
        thread.start()
        thread.join()

        assert seen == [(SHORTEST_NS, os.SCHED_OTHER, 5)]
        assert slice_of(0) != SHORTEST_NS

    async def test_is_of_the_backend_that_serves_a_connection(self, database_url):
        long = await asyncpg.connect(database_url)
        short = await asyncpg.connect(database_url)

        GivingWay().backend(long)

        assert slice_of(long.get_server_pid()) == SHORTEST_NS
        assert slice_of(short.get_server_pid()) != SHORTEST_NS
        await long.close()
        await short.close()

    @pytest.mark.parametrize("title", [None, b"python\x00shop.py"])
    def test_is_asked_of_nobody_who_is_not_postgresql(self, tmp_path, title):
        class Elsewhere:
            def get_server_pid(self):
                return os.getpid()

        if title is not None:
            (tmp_path / str(os.getpid())).mkdir()
            (tmp_path / str(os.getpid()) / "cmdline").write_bytes(title)

        GivingWay(tmp_path).backend(Elsewhere())

        assert slice_of(os.getpid()) != SHORTEST_NS
