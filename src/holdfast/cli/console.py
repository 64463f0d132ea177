"""What a person sees while a shop starts: a spinner on a terminal, lines elsewhere.

Writing never fails: the terminal may be gone (SIGHUP) while children still have
to be stopped.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

from holdfast.kernel.clock import monotonic


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Go on without a reader; rich would end the process here."""


class Narrator:
    """Tells what happens, each line with the seconds since the start."""

    def __init__(self) -> None:
        self._console = _Console(highlight=False, soft_wrap=True)
        self._started = monotonic()

    @property
    def seconds(self) -> float:
        return monotonic() - self._started

    def tell(self, line: str) -> None:
        """A step that is done."""
        with suppress(OSError, ValueError):
            stamp = Text(f"{self.seconds:5.1f} s  ", style="dim")
            self._console.print(stamp + Text(line))
            self._console.file.flush()

    def show(self, text: str) -> None:
        """Text to be read or copied as it is."""
        with suppress(OSError, ValueError):
            print(text, flush=True)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Show that *what* is going on; only on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(what):
            yield


class LogFollower:
    """Copies what is appended to some logs to standard output, each line named."""

    def __init__(self, logs: dict[str, Path]) -> None:
        self._width = max(map(len, logs), default=0)
        self._logs = logs
        self._read = {name: _end(log) for name, log in logs.items()}

    def copy(self) -> None:
        for name, log in self._logs.items():
            end = _end(log)
            # It may have been rotated: then it is shorter than what we read.
            start = self._read[name] = min(self._read[name], end)
            with suppress(OSError), log.open("rb") as file:
                file.seek(start)
                text = file.read(end - start)
                # The rest of an unfinished line comes with the next copy.
                whole = text[: text.rfind(b"\n") + 1]
                self._read[name] = start + len(whole)
                for line in whole.decode("utf-8", "replace").splitlines():
                    sys.stdout.write(f"{name:<{self._width}} | {line}\n")
                sys.stdout.flush()


class SourceWatch:
    """Notices when a file of the source changes, appears or goes."""

    _KINDS = frozenset({".py", ".sql", ".lua", ".html", ".css", ".js", ".md"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._look()

    def changed(self) -> str:
        """The name of a file that changed since the last call, or nothing."""
        before, self._seen = self._seen, self._look()
        different = before.items() ^ self._seen.items()
        if not different:
            return ""
        return str(min(path for path, _ in different).relative_to(self._folder))

    def _look(self) -> dict[Path, int]:
        found = {}
        for path in self._folder.rglob("*"):
            if path.suffix in self._KINDS:
                with suppress(FileNotFoundError):
                    found[path] = path.stat().st_mtime_ns
        return found


def _end(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
