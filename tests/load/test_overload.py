"""Five times more than a process can do, for some seconds: who is served.

The server burns CPU, so its capacity is that of the core it gets, however fast. The
load is open: requests are due by the clock and do not wait for each other, as those of
a thousand people. Each has a connection of its own.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from holdfast.resilience.load import LEVELS

SERVER = Path(__file__).parents[1] / "instruments" / "burning.py"
COST_MS = 20
PATIENCE = 4.0


class Burning:
    """A server that can do fifty requests a second at best, and who asks it."""

    def __init__(self, port):
        self.port = port
        self.counts = Counter()
        self.most_tasks = 0

    async def get(self, path, method="GET", body=b""):
        """The status and the body; status 0 if there was none in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    head = b"%s %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                    head += b"content-type: application/json\r\n"
                    head += b"content-length: %d\r\n\r\n%s"
                    words = (method.encode(), path.encode(), len(body), body)
                    writer.write(head % words)
                    answer = await reader.read()
                finally:
                    writer.close()
        except (TimeoutError, OSError):
            return 0, b""
        head, _, said = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]) if head else 0, said

    async def ask(self, name):
        status, _ = await self.get(f"/{name}")
        self.counts[name, status] += 1

    async def say(self, **control):
        body = json.dumps(control).encode()
        status, said = await self.get("/say", "PUT", body)
        assert status == 200
        return json.loads(said)

    async def look(self):
        status, body = await self.get("/tasks")
        assert status == 200
        seen = json.loads(body)
        self.most_tasks = max(self.most_tasks, seen["tasks"])
        return seen

    async def flood(self, seconds, rates):
        """Requests of each kind at its rate, each due when it is due."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        due = sorted(
            (began + number / rate, name)
            for name, rate in rates.items()
            for number in range(int(seconds * rate))
        )
        async with asyncio.TaskGroup() as group:
            for at, name in due:
                if (wait := at - loop.time()) > 0:
                    await asyncio.sleep(wait)
                group.create_task(self.look() if name == "tasks" else self.ask(name))

    def share(self, name):
        """Of the requests for *name*, how many were served."""
        total = sum(n for (asked, _), n in self.counts.items() if asked == name)
        return self.counts[name, 200] / total


@pytest.fixture
async def burning(promised):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SERVER), str(COST_MS)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        server = Burning(int(await process.stdout.readline()))

        async def lives():
            return (await server.get("/livez"))[0] == 200

        await promised(lives)
        yield server
    finally:
        process.terminate()
        async with asyncio.timeout(20):
            await process.communicate()


@pytest.mark.slow
class TestOverload:
    async def test_is_borne_by_what_can_wait(self, burning):
        rates = {"pay": 5, "browse": 120, "bulk": 60, "livez": 5, "tasks": 2}
        await burning.flood(2, rates)
        burning.counts.clear()
        await burning.flood(4, rates)
        seen = await burning.look()

        assert burning.share("livez") == 1, burning.counts
        assert burning.share("pay") > 0.7, burning.counts
        assert burning.share("pay") > 2 * burning.share("browse"), burning.counts
        assert burning.share("browse") > burning.share("bulk"), burning.counts
        assert burning.share("bulk") < 0.05, burning.counts
        assert burning.most_tasks < 500
        assert seen["shed"]["browse"] > 100

    async def test_is_over_soon_after_it_ends(self, burning, promised):
        await burning.flood(2, {"browse": 120, "bulk": 30})

        async def is_over():
            seen = await burning.look()
            return seen["level"] == 0 and seen["threshold"] == LEVELS

        await promised(is_over)
        burning.counts.clear()
        await burning.flood(2, {"browse": 3, "bulk": 1})

        # A machine that others use may take the CPU away in between.
        assert burning.share("browse") >= 0.8, burning.counts
        assert (await burning.look())["tasks"] < 20


class TestOperators:
    async def test_decide_at_once_who_is_served(self, burning):
        until = "2099-01-01T00:00:00Z"
        await burning.say(level={"level": 4, "until": until})

        assert (await burning.get("/browse"))[0] == 503
        assert (await burning.get("/buy"))[0] == 200
        assert (await burning.get("/livez"))[0] == 200
        await burning.say(level={"level": 4, "until": until}, shedding="off")
        assert (await burning.get("/browse"))[0] == 200
        await burning.say()
        assert (await burning.get("/bulk"))[0] == 200
