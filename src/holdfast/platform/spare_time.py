"""Work that is done only while nobody else wants a core, in a process of its own.

Why a process: Linux puts each session of processes into a group (``autogroup``), and
the groups share the cores as equals. A thread that would give way to the others of its
own process does not give way to PostgreSQL or to whoever else is woken on its core, so
the process makes its whole group nice.

Why short slices: whoever runs is left alone until the end of its slice, 3 ms by
default, however nice it is (EEVDF, ``RUN_TO_PARITY``). So it asks for slices of its own
(``slices``). Measured with two processes that sleep a millisecond at a
time, beside two that hash in bursts: p99 of the time from being woken to running 3.9 ms
with a nice group, 0.4 ms with slices of 0.1 ms as well, 0.2 ms with nobody beside them.
Before 6.12 ``SCHED_IDLE`` is the best there is. Where groups are made by cgroups
instead, they decide.

A question is one line, the answer another. The process is started with the first
question, and again when it has died; it ends when its standard input does, so it never
outlives who started it.
"""

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIG_IGN, SIGINT, SIGTERM, signal

from holdfast.platform.slices import SHORTEST_NS, take_short_slices

_AUTOGROUP = Path("/proc/self/autogroup")
_NICEST = 19
# The kernel takes one change in a tenth of a second from all who are not privileged.
_TRIES = 30
_PAUSE_SECONDS = 0.1


class NoAnswer(Exception):
    """The process could not be started, or died twice over one question."""


class SpareTime:
    """One process that runs *program*, a file that calls ``serve``.

    For one thread at a time. The program shares nothing with who starts it but the
    environment, so what it imports is all the memory it takes.
    """

    def __init__(self, program: Path) -> None:
        # -P: a file beside the program must not stand in for a module.
        self._command = (sys.executable, "-P", str(program))
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Lock()
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """Of the process, if it has been started."""
        return None if self._process is None else self._process.pid

    def ask(self, question: bytes) -> bytes:
        """The answer to *question*, neither with a line break; ``NoAnswer``.

        A question is asked twice if the process dies over it.
        """
        for _ in range(2):
            with suppress(OSError):
                answer = self._exchange(question)
                if answer.endswith(b"\n"):
                    return answer[:-1]
            self._end()
        raise NoAnswer

    def close(self) -> None:
        """End the process. Nothing is answered after that."""
        with self._closing:
            self._is_closed = True
        self._end()

    def _exchange(self, question: bytes) -> bytes:
        process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise OSError(errno.EPIPE, "the process has no pipes")
        process.stdin.write(question + b"\n")
        process.stdin.flush()
        return process.stdout.readline()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._closing:
            if self._is_closed:
                raise OSError(errno.ESHUTDOWN, "closed")
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            process.kill()
            process.wait()


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Answer each line of standard input by a line, in spare time only."""
    # Who started us says when to end, and may have to finish something first.
    for told in (SIGINT, SIGTERM):
        signal(told, SIG_IGN)
    threading.Thread(target=_give_way, daemon=True).start()
    for question in sys.stdin.buffer:
        try:
            sys.stdout.buffer.write(answer(question[:-1]) + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Nobody waits any more. Not at exit either, which would flush again.
            os._exit(0)


def _give_way() -> None:
    """Let this process run only while nobody else is ready to."""
    if sys.platform != "linux":
        os.nice(_NICEST)
        return
    with suppress(OSError):
        # Of the process is its first thread, which does the work.
        if not take_short_slices(
            os.getpid(), SHORTEST_NS, policy=os.SCHED_BATCH, nice=_NICEST
        ):
            os.sched_setscheduler(os.getpid(), os.SCHED_IDLE, os.sched_param(0))
    for _ in range(_TRIES):
        try:
            _AUTOGROUP.write_text(str(_NICEST), "ascii")
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        except OSError:
            return
        else:
            return
