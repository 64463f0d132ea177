"""What the processes say about themselves: log lines and metrics.

Log lines go to standard output, one JSON object a line, or text for people at a
terminal. The access log has its own writer, because it is written on every
request: 3 us a line instead of the 25 us a general logger takes. Its lines are
buffered for up to a tenth of a second.

Metrics are Prometheus counters and histograms. With several workers each process
keeps its numbers in files of a shared folder and any of them answers for all.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import Any, BinaryIO, Literal

import msgspec
import structlog

LogFormat = Literal["json", "console"]

_FLUSH_SECONDS = 0.1
# What POSIX promises to write to a pipe in one piece (PIPE_BUF on Linux): several
# workers write to the same one, and must not tear each other's lines.
_WHOLE_BYTES = 4096
_ENCODER = msgspec.json.Encoder()
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure(
    log_format: LogFormat, level: str = "info", *, stream: BinaryIO | None = None
) -> None:
    """Set up the logs of this process; call it once, at the start."""
    out = stream or sys.stdout.buffer
    shared: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    if log_format == "json":
        render: list[Callable[..., Any]] = [
            structlog.processors.format_exc_info,
            _as_json,
        ]
    else:
        # The default formatter prints local variables, and with them secrets.
        console = structlog.dev.ConsoleRenderer(
            timestamp_key="at",
            exception_formatter=structlog.dev.plain_traceback,
            colors=out.isatty(),
        )
        render = [console, _as_bytes]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    # Libraries log through the standard library; only what needs attention.
    logging.basicConfig(
        level=max(logging.WARNING, _LEVELS[level]),
        handlers=[_Forward()],
        force=True,
    )


def logger() -> Any:
    """The logger of this process."""
    return structlog.get_logger()


def _as_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)


def _as_bytes(_logger: Any, _method: str, line: str) -> bytes:
    return line.encode("utf-8", "replace")


class _Forward(logging.Handler):
    """Hands records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            record.getMessage(),
            logger=record.name,
            exc_info=record.exc_info,
        )


class Access(msgspec.Struct, omit_defaults=True):
    """One line of the access log."""

    at: datetime
    level: str
    event: str
    request_id: str
    method: str
    path: str
    route: str | None
    status: int
    ms: float
    bytes: int
    client: str | None = None
    caller: str | None = None
    decisions: list[str] | None = None
    """What was decided about it, by whom: see ``holdfast explain``."""


class AccessLog:
    """Writes a line for each request, cheaply; what *keep* is given is JSON always."""

    def __init__(
        self,
        log_format: LogFormat,
        out: BinaryIO | None = None,
        *,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        self._out = out or sys.stdout.buffer
        self._encode = _ENCODER.encode if log_format == "json" else _for_people
        self._waiting: list[bytes] = []
        self._keep = keep
        # What people read is written a second time, for programs.
        self._kept: list[bytes] | None = None
        if keep is not None and log_format != "json":
            self._kept = []

    def write(self, line: Access) -> None:
        """Write *line*; it appears within a tenth of a second."""
        if not self._waiting:
            loop = asyncio.get_running_loop()
            loop.call_later(_FLUSH_SECONDS, self.flush)
        self._waiting.append(self._encode(line) + b"\n")
        if self._kept is not None:
            self._kept.append(_ENCODER.encode(line) + b"\n")

    def flush(self) -> None:
        """Make everything written so far appear."""
        lines, self._waiting = self._waiting, []
        if self._keep is not None and lines:
            self._keep(b"".join(lines if self._kept is None else self._kept))
            if self._kept is not None:
                self._kept = []
        piece = b""
        for line in lines:
            if len(piece) + len(line) > _WHOLE_BYTES:
                self._out.write(piece)
                self._out.flush()
                piece = b""
            piece += line
        self._out.write(piece)
        self._out.flush()


def _for_people(line: Access) -> bytes:
    # A path holds what a client likes, line breaks and control codes included.
    path = line.path if line.path.isprintable() else ascii(line.path)
    text = (
        f"{line.at:%H:%M:%S} {line.status} {line.method} {path} "
        f"{line.ms:.1f} ms  {line.request_id}"
    )
    return text.encode("utf-8", "replace")
