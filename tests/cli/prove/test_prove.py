"""The whole proof, small: it holds, it bites, it leaves nothing behind."""

import asyncio
import json
import os
import re
import signal
import sys

import psutil
import pytest

from holdfast.cli.prove.scenes import SCENES
from holdfast.cli.prove.size import FULL

pytestmark = pytest.mark.slow
SECONDS = 240
FULL_SECONDS = 900


@pytest.fixture
def prove(tmp_path):
    """Run the command in a process of its own: its exit code and what it said."""

    async def run(*options, interrupt_after=None, size=("--quick",), seconds=SECONDS):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "holdfast", "prove", *size, *options),
            # What measures coverage is handed on.
            env={**os.environ, "TMPDIR": str(tmp_path)},  # noqa: TID251
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                if interrupt_after is not None:
                    await interrupt_after()
                    process.send_signal(signal.SIGINT)
                said, complained = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode, said.decode(), complained.decode()

    return run


@pytest.fixture
def left_behind(tmp_path):
    """Files and processes of the shop that was proved."""

    def find():
        running = [
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if str(tmp_path) in " ".join(process.info["cmdline"] or ())
        ]
        return [*running, *tmp_path.glob("holdfast-prove-*")]

    return find


class TestProve:
    async def test_keeps_every_promise_and_leaves_nothing_behind(
        self, prove, left_behind, tmp_path
    ):
        page = tmp_path / "proof.html"

        code, said, complained = await prove("--json", "--html", str(page))

        report = json.loads(said or "{}")
        broken = [
            (promise["promise"], promise["broken"][:3])
            for part in report.get("parts", [])
            for promise in part["promises"]
            if promise["broken"]
        ]
        assert (code, broken) == (0, []), complained
        sale, charges, books = report["parts"]
        assert sale["attempts"] >= report["size"]["attempts"]
        # The last may come too late where bringing back what was hit takes long.
        struck = {blow["what"] for blow in sale["blows"]}
        assert struck <= {"api", "postgres", "valkey"}
        assert len(struck) >= 2
        assert charges["outcomes"]["no answer"] > 0
        assert charges["scenes"][0] == SCENES[0].name
        # A promise that nothing was held against is worth nothing.
        assert [p["promise"] for p in sale["promises"] if not p["checked"]] == []
        assert [p["promise"] for p in books["promises"] if not p["checked"]] == []
        html = page.read_text()
        assert html.count("<svg") >= 8
        assert not re.search(r"<script|https?://|@import|<link", html)
        assert left_behind() == []

    @pytest.mark.long
    async def test_keeps_every_promise_at_full_size(
        self, prove, left_behind, tmp_path, tell
    ):
        page, kept = tmp_path / "proof.html", tmp_path / "kept"

        code, said, complained = await prove(
            *("--html", str(page), "--keep", str(kept)), size=(), seconds=FULL_SECONDS
        )

        assert code == 0, f"{said}\n{complained}"
        assert (kept / "report.txt").read_text() == said
        report = json.loads((kept / "report.json").read_text())
        # How long it takes is told and not judged: this machine may be busy.
        tell(said.partition("all promises kept; ")[2])
        assert f"all promises kept; {report['seconds']:.0f} s (" in said
        assert report["in_time"] == (report["seconds"] <= report["bound_seconds"])
        assert ("It took" in said) == (not report["in_time"])
        assert report["kept"]
        sale, charges, books = report["parts"]
        assert sale["attempts"] >= FULL.attempts
        assert charges["attempts"] >= FULL.carts * FULL.duplicates
        assert charges["scenes"] == [scene.name for scene in SCENES]
        assert {"bank approved", "bank declined"} <= charges["outcomes"].keys()
        for part, blows in ((sale, FULL.blows), (charges, FULL.blows_at_checkouts)):
            assert len(part["blows"]) >= blows - 1
        for part in (sale, charges, books):
            for promise in part["promises"]:
                assert promise["checked"], promise["promise"]
                assert f"kept    {promise['promise']} ({promise['checked']:,})" in said
        html = page.read_text()
        assert "every promise kept" in html
        assert html.count("<svg") >= 8
        assert not re.search(r"<script|https?://|@import|<link", html)
        assert left_behind() == []

    async def test_notices_a_promise_that_was_broken(self, prove, left_behind):
        code, said, _ = await prove("--only", "oversell", "--sabotage", "reservation")

        assert code == 1
        assert "BROKEN  sold, held and left are what there was" in said
        assert "BROKEN  no unit is promised twice at any commit" in said
        assert left_behind() == []

    async def test_ends_at_once_when_it_is_told_to(self, prove, left_behind, tmp_path):
        # What a run that was killed has left is deleted, too.
        stale = tmp_path / "holdfast-prove-killed"
        stale.mkdir()
        (stale / "lock").touch()

        async def a_server_runs():
            while not list(tmp_path.glob("holdfast-prove-*/postgres/data/PG_VERSION")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

        code, said, complained = await prove(interrupt_after=a_server_runs)

        assert (code, said) == (130, "")
        assert "stopped" in complained
        assert left_behind() == []

    async def test_says_what_it_does_not_know(self, prove):
        code, _, complained = await prove("--only", "magic")

        assert code == 1
        assert "oversell,charges,books" in complained
