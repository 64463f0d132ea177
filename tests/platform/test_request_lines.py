"""What each process keeps of its requests: bounded, private, and found again."""

import os
import stat
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import structlog

from holdfast.platform.request_lines import RequestLines, find, folder_in, kept_in
from holdfast.platform.telemetry import Access

AT = datetime(2026, 11, 27, 8, tzinfo=UTC)
DAYS = 86_400


def line(request_id, *, seconds=0, event="request"):
    access = Access(
        AT + timedelta(seconds=seconds),
        *("info", event, request_id, "GET", "/v1/tea", "/v1/tea", 200, 1.5, 7),
    )
    return msgspec.json.encode(access) + b"\n"


@pytest.fixture
def folder(tmp_path):
    return folder_in(tmp_path)


@pytest.fixture
def lines(folder):
    lines = RequestLines(folder, limit_bytes=2_000)
    yield lines
    lines.close()


class TestRequestLines:
    def test_makes_nothing_before_there_is_a_line(self, folder, lines):
        assert not folder.exists()

    def test_are_found_by_their_id(self, folder, lines):
        lines.write(line("r1") + line("r2"))

        (found,) = find(kept_in(folder), "r2")
        assert (found.request_id, found.at, found.ms) == ("r2", AT, 1.5)

    @pytest.mark.parametrize("request_id", ["r", "r1", '"r1"', "1", "", "*"])
    def test_are_not_found_by_half_of_it(self, folder, lines, request_id):
        lines.write(line("r11"))

        assert find(kept_in(folder), request_id) == []

    def test_are_found_whatever_a_client_chose(self, folder, lines):
        odd = '"},{"\\request_id":"x"'
        lines.write(line(odd) + line("x"))

        assert [a.request_id for a in find(kept_in(folder), odd)] == [odd]

    def test_with_one_id_come_latest_first(self, folder, lines):
        lines.write(line("r", seconds=1) + line("r", seconds=3) + line("r", seconds=2))

        seconds = [(access.at - AT).seconds for access in find(kept_in(folder), "r")]
        assert seconds == [3, 2, 1]

    def test_of_other_events_are_passed_over(self, folder, lines):
        lines.write(line("r", event="request_failed") + b'{"request_id":"r"\n' + b"r\n")

        assert find(kept_in(folder), "r") == []

    def test_take_no_more_room_than_they_may(self, folder, lines):
        for n in range(500):
            lines.write(line(f"r{n}"))

        assert sum(path.stat().st_size for path in kept_in(folder)) <= 2_000
        assert find(kept_in(folder), "r499")
        assert find(kept_in(folder), "r0") == []

    def test_can_be_read_by_their_owner_only(self, folder, lines):
        lines.write(line("r"))

        (path,) = kept_in(folder)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def test_of_processes_that_are_gone_stay_for_a_week(self, folder, lines):
        folder.mkdir(parents=True)
        for name, days in [("4194399-0", 6), ("4194399-1", 8), ("notes", 9)]:
            path = folder / f"{name}.jsonl"
            path.write_bytes(line(name))
            now = path.stat().st_mtime
            os.utime(path, (now, now - days * DAYS))

        lines.write(line("mine"))

        left = {path.stem for path in kept_in(folder)}
        assert left == {"4194399-0", f"{os.getpid()}-0"}

    def test_of_many_processes_are_the_latest(self, folder, lines):
        folder.mkdir(parents=True)
        for n in range(100):
            (folder / f"{4194400 + n}-0.jsonl").write_bytes(line(f"r{n}"))

        lines.write(line("mine"))

        assert len(kept_in(folder)) == 64
        assert find(kept_in(folder), "mine")

    def test_of_a_live_process_are_not_deleted(self, folder, lines):
        folder.mkdir(parents=True)
        alive = folder / f"{os.getppid()}-0.jsonl"
        alive.write_bytes(line("theirs"))
        os.utime(alive, (0, 0))

        lines.write(line("mine"))

        assert find(kept_in(folder), "theirs")

    def test_hurt_nobody_where_nothing_can_be_written(self, tmp_path):
        (tmp_path / "logs").write_text("in the way")
        lines = RequestLines(folder_in(tmp_path), limit_bytes=2_000)

        with structlog.testing.capture_logs() as said:
            for _ in range(3):
                lines.write(line("r"))
        lines.close()

        assert [entry["event"] for entry in said] == ["request_lines_not_kept"]
