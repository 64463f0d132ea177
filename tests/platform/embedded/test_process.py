"""A child stops when it is asked, or when it is told, and takes its own along."""

import errno
import os
import signal
import sys

import psutil
import pytest

from holdfast.platform.embedded.process import (
    LOG_LIMIT_BYTES,
    explain,
    trim,
    write_private,
)


class TestStop:
    def test_a_child_may_finish_what_it_is_at(self, shell, eventually, tmp_path):
        child = shell(
            "trap 'echo bye; exit 3' TERM; echo hi; while :; do sleep 1 & wait; done"
        )
        eventually(lambda: "hi" in child.tail())

        child.stop()

        assert child.exit_code == 3
        assert child.tail() == "hi\nbye"

    def test_a_child_that_does_not_listen_is_killed(self, shell, eventually):
        child = shell(
            "trap '' TERM; echo hi; while :; do sleep 1; done",
            end=((signal.SIGTERM, 0.05), (signal.SIGKILL, 5.0)),
        )
        eventually(lambda: "hi" in child.tail())

        child.stop()

        assert child.exit_code == -signal.SIGKILL

    def test_hurry_skips_the_waiting(self, shell, eventually):
        child = shell(
            "trap '' TERM; echo hi; while :; do sleep 1; done",
            end=((signal.SIGTERM, 3600.0), (signal.SIGKILL, 5.0)),
        )
        eventually(lambda: "hi" in child.tail())

        child.stop(hurry=lambda: True)

        assert child.exit_code == -signal.SIGKILL

    def test_what_the_child_started_ends_with_it(self, shell, eventually):
        child = shell("sleep 600 & echo $!; exit 0")
        eventually(lambda: child.tail() and not child.alive())
        grandchild = psutil.Process(int(child.tail()))

        child.stop()

        eventually(
            lambda: (
                not grandchild.is_running()
                or grandchild.status() == psutil.STATUS_ZOMBIE
            )
        )

    def test_stopping_twice_is_stopping_once(self, shell):
        child = shell("exit 4")

        child.stop()
        child.stop()

        assert not child.alive()


class TestOrphan:
    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children")
    def test_the_kernel_stops_a_child_whose_parent_died(self, shell, eventually):
        script = (
            "import os, signal, sys; from pathlib import Path;"
            "from holdfast.platform.embedded.process import Command, spawn;"
            "command = Command(('/bin/sleep', '600'), {}, Path(os.devnull));"
            "print(spawn(command).pid, flush=True);"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        parent = shell(f'exec "{sys.executable}" -c "{script}"')
        eventually(lambda: not parent.alive())
        orphan = int(parent.tail())

        eventually(
            lambda: (
                not psutil.pid_exists(orphan)
                or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE
            )
        )


class TestLog:
    def test_a_long_log_makes_room_at_the_next_start(self, tmp_path):
        log = tmp_path / "server.log"
        log.write_bytes(b"x" * (LOG_LIMIT_BYTES + 1))

        trim(log)

        assert not log.exists()
        assert (tmp_path / "server.log.1").stat().st_size == LOG_LIMIT_BYTES + 1

    def test_the_tail_holds_nothing_of_earlier_starts(self, shell, eventually):
        first = shell("echo first")
        eventually(lambda: not first.alive())
        second = shell("echo second")
        eventually(lambda: not second.alive())

        assert second.tail() == "second"


class TestExplain:
    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            (errno.ENOSPC, "The disk that holds /shop is full; make room"),
            (errno.EACCES, "It cannot start: /shop is not writable for this user."),
            (errno.EROFS, "It cannot start: /shop is not writable for this user."),
            (errno.ENOTDIR, "It cannot start: Not a directory (/shop)."),
        ],
    )
    def test_says_what_the_file_system_refused(self, tmp_path, number, sentence):
        error = OSError(number, os.strerror(number))

        said = str(explain("It cannot start", error, type(tmp_path)("/shop")))

        assert said.startswith(sentence)


class TestWritePrivate:
    def test_nobody_else_may_read_it(self, tmp_path):
        write_private(tmp_path / "password", "secret")

        assert (tmp_path / "password").read_text() == "secret\n"
        assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600
