import asyncio
import io
import json
import logging
import sys
from datetime import UTC, datetime

import pytest
import structlog

from holdfast.platform import telemetry
from holdfast.platform.telemetry import Access, AccessLog

LINE = Access(
    at=datetime(2026, 11, 27, 8, 0, 1, 250_000, tzinfo=UTC),
    level="info",
    event="request",
    request_id="r1",
    method="GET",
    path="/v1/products/ō\n",
    route="/v1/products/{product}",
    status=200,
    ms=1.25,
    bytes=300,
    client="127.0.0.1",
)


class Terminal(io.BytesIO):
    def isatty(self):
        return True


@pytest.fixture
def stream():
    before = list(logging.getLogger().handlers)
    yield io.BytesIO()
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


class TestConfigure:
    def test_json_is_one_object_a_line(self, stream):
        telemetry.configure("json", stream=stream)

        telemetry.logger().info("sold", sku="TEA-1", note="two\nlines")
        telemetry.logger().warning("low")

        sold, low = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert (sold["event"], sold["level"], sold["sku"]) == ("sold", "info", "TEA-1")
        assert datetime.fromisoformat(sold["at"]).tzinfo is not None
        assert low["level"] == "warning"

    def test_json_takes_values_that_are_not_json(self, stream):
        telemetry.configure("json", stream=stream)

        telemetry.logger().info("odd", value=object(), numbers={1, 2})

        assert "object object" in json.loads(stream.getvalue())["value"]

    def test_console_is_for_people(self, stream):
        telemetry.configure("console", stream=stream)

        telemetry.logger().info("sold", sku="TEA-1")

        text = stream.getvalue().decode()
        assert "sold" in text
        assert "sku=TEA-1" in text
        assert "\x1b" not in text

    def test_console_has_colours_at_a_terminal_only(self, stream):
        terminal = Terminal()
        telemetry.configure("console", stream=terminal)

        telemetry.logger().info("sold")

        assert b"\x1b" in terminal.getvalue()

    @pytest.mark.parametrize("log_format", ["json", "console"])
    def test_a_traceback_shows_no_values_of_variables(self, stream, log_format):
        telemetry.configure(log_format, stream=stream)

        def fail(secret):
            raise ValueError("broken")

        try:
            fail("hunter" + "2")
        except ValueError:
            telemetry.logger().exception("failed")

        text = stream.getvalue().decode()
        assert "ValueError: broken" in text
        assert "hunter2" not in text

    def test_leaves_out_what_is_below_the_level(self, stream):
        telemetry.configure("json", "warning", stream=stream)

        telemetry.logger().info("chatter")
        telemetry.logger().error("matter")

        assert json.loads(stream.getvalue())["event"] == "matter"

    def test_takes_in_what_libraries_log_if_it_matters(self, stream):
        telemetry.configure("json", stream=stream)

        logging.getLogger("library").info("chatter")
        logging.getLogger("library").error("lost %s", "it")

        line = json.loads(stream.getvalue())
        assert (line["event"], line["logger"]) == ("lost it", "library")

    def test_takes_in_tracebacks_of_libraries(self, stream):
        telemetry.configure("json", stream=stream)

        try:
            int("broken")
        except ValueError:
            logging.getLogger("library").exception("failed")

        assert "invalid literal" in json.loads(stream.getvalue())["exception"]

    def test_writes_to_standard_output_unless_told_otherwise(self, stream, capfdbinary):
        telemetry.configure("json")

        telemetry.logger().info("sold")
        sys.stdout.flush()

        assert b'"sold"' in capfdbinary.readouterr().out


class TestAccessLog:
    async def test_writes_one_object_a_line(self, stream):
        log = AccessLog("json", stream)

        log.write(LINE)
        log.write(LINE)
        log.flush()

        lines = stream.getvalue().splitlines()
        assert len(lines) == 2
        assert json.loads(lines[0]) == {
            "at": "2026-11-27T08:00:01.250000Z",
            "level": "info",
            "event": "request",
            "request_id": "r1",
            "method": "GET",
            "path": "/v1/products/ō\n",
            "route": "/v1/products/{product}",
            "status": 200,
            "ms": 1.25,
            "bytes": 300,
            "client": "127.0.0.1",
        }

    async def test_writes_text_for_people(self, stream):
        log = AccessLog("console", stream)
        log.write(LINE)
        log.flush()

        text = stream.getvalue().decode()
        assert text.startswith(r"08:00:01 200 GET '/v1/products/\u014d\n' ")
        assert text.endswith("1.2 ms  r1\n")
        assert text.count("\n") == 1

    async def test_appears_soon_without_being_asked(self):
        flushed = asyncio.Event()

        class Watched(io.BytesIO):
            def flush(self):
                flushed.set()

        log = AccessLog("json", Watched())
        for _ in range(3):
            log.write(LINE)

        async with asyncio.timeout(20):
            await flushed.wait()

    async def test_never_tears_a_line_between_two_writes(self):
        pieces = []

        class Pipe(io.BytesIO):
            def write(self, piece):
                pieces.append(piece)
                return len(piece)

        log = AccessLog("json", Pipe())
        for _ in range(100):
            log.write(LINE)
        log.flush()

        assert all(len(piece) <= 4096 and piece.endswith(b"\n") for piece in pieces)
        assert b"".join(pieces).count(b"\n") == 100
        assert len(pieces) < 20
