"""``holdfast explain`` tells what was decided about a request, and what it means."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from holdfast.cli.explain import LAYERS, meaning_of
from holdfast.platform.request_lines import RequestLines, folder_in
from holdfast.platform.telemetry import Access

AT = datetime(2026, 11, 27, 8, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def line(request_id="r1", **fields):
    usual = {
        "at": AT,
        "level": "info",
        "event": "request",
        "request_id": request_id,
        "method": "POST",
        "path": "/v1/carts/7/checkout",
        "route": "/v1/carts/{cart_id:uuid}/checkout",
        "status": 504,
        "ms": 1502.25,
        "bytes": 310,
        "client": "192.0.2.7",
        "caller": "account:0192f3c4-0000-7000-8000-00000000abcd",
    }
    return msgspec.json.encode(Access(**{**usual, **fields})) + b"\n"


CUT = [
    "rate:customer=allowed",
    "deadline:asked=1500ms",
    "deadline:exceeded@payment=unknown",
]


@pytest.fixture
def keep(tmp_path):
    def keep(*lines):
        kept = RequestLines(folder_in(tmp_path / "home"), limit_bytes=1 << 20)
        kept.write(b"".join(lines))
        kept.close()

    return keep


class TestExplain:
    async def test_tells_what_happened_to_a_request(self, holdfast, keep):
        keep(line("r0"), line(decisions=CUT))

        said = await holdfast("explain", "r1")

        assert said.code == 0
        assert said.out == EXPLAINED

    async def test_says_who_called_only_by_kind(self, holdfast, keep):
        keep(line())

        assert "abcd" not in (await holdfast("explain", "r1")).out

    async def test_says_that_nothing_was_decided(self, holdfast, keep):
        keep(line(caller=None, client=None, route=None))

        said = await holdfast("explain", "r1")

        assert "No layer had anything to decide" in said.out
        assert re.search(r"caller +unknown\naddress +unknown", said.out)

    async def test_shows_a_decision_that_it_does_not_know(self, holdfast, keep):
        keep(line(decisions=["oracle:moon=full"]))

        assert "\noracle:moon=full\n" in (await holdfast("explain", "r1")).out

    async def test_tells_of_all_that_share_an_id(self, holdfast, keep):
        keep(line(), line())

        assert "2 requests have this id" in (await holdfast("explain", "r1")).out

    async def test_is_for_programs_too(self, holdfast, keep):
        keep(line(decisions=["deadline:clamped", "oracle:moon=full"]))

        (told,) = json.loads((await holdfast("explain", "r1", "--json")).out)

        assert (told["status"], told["caller"], told["ms"]) == (504, "account", 1502.25)
        known, unknown = told["decisions"]
        assert known["means"].startswith("its client asked for more time")
        assert unknown == {
            "decision": "oracle:moon=full",
            "decides": None,
            "means": None,
            "page": None,
        }

    async def test_looks_into_a_log_that_was_shipped(self, holdfast, tmp_path):
        log = tmp_path / "api.log"
        log.write_bytes(b"serving\n" + line("r0") + line(decisions=CUT))

        assert (await holdfast("explain", "r1", "--log", str(log))).out == EXPLAINED

    async def test_does_not_write_what_a_terminal_would_obey(self, holdfast, keep):
        keep(line(path="/v1/\x1b[2J"))
        assert "\x1b" not in (await holdfast("explain", "r1")).out


class TestNotFound:
    async def test_is_said_and_ends_with_1(self, holdfast, keep):
        keep(line("r0"))

        said = await holdfast("explain", "r1")

        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("holdfast: No request r1 on this machine: ")

    async def test_where_nothing_is_kept_is_told_apart(self, holdfast):
        said = await holdfast("explain", "r1")

        assert said.code == 1
        assert "No request lines are kept in" in said.err

    async def test_in_a_log_names_the_log(self, holdfast, tmp_path):
        log = tmp_path / "api.log"
        log.write_bytes(line("r0"))

        said = await holdfast("explain", "r1", "--log", str(log))

        assert (said.code, said.err) == (1, f"holdfast: No request r1 in {log}.\n")

    async def test_with_a_log_that_is_not_there_says_so(self, holdfast, tmp_path):
        said = await holdfast("explain", "r1", "--log", str(tmp_path / "none"))

        assert said.code == 1
        assert said.err.endswith("none: No such file or directory\n")


class TestLayers:
    @pytest.mark.parametrize(
        ("decision", "means"),
        [
            ("deadline:asked=1500ms", "the time its client asked for"),
            ("deadline:exceeded@database=nothing-happened", "before it changed"),
            ("deadline:not-started@request", "could not have sufficed"),
            ("client:left@before-effect=cancelled", "it was stopped"),
            ("client:left@after-effect=finished", "seen to its end"),
            ("deadline:not-started@payment=unknown", "amid a change"),
            ("deadline:not-started@pool=nothing-happened", "changed anything"),
            ("rate:address=denied", "429"),
            ("rate:guest=shadow_denied", "only tried out"),
            ("rate:guest=too_costly", "ever grants"),
            ("retry:payment=again", "asked again"),
            ("retry:payment=refused", "too many others"),
            ("drop:01a207aa=waiting", "403"),
            ("doorstep:/v1/sessions=full", "turned away"),
            ("gate:flood=shed", "503"),
            ("load:threshold=shed", "503"),
            ("shed:checkout=codel", "stood for too long"),
            ("key:joined=replayed", "answered as the first one was"),
            ("key:joined=mismatch", "422"),
        ],
    )
    def test_know_what_their_decisions_mean(self, decision, means):
        known = meaning_of(decision)

        assert known is not None
        assert means in known[1]

    def test_lead_to_pages_that_exist(self):
        pages = ROOT / "docs/explanation/protection"

        assert {layer.page for layer in LAYERS.values()} <= {
            page.name for page in pages.glob("*.md")
        }

    def test_know_whatever_a_layer_writes(self):
        """Each layer that writes into the line of a request has an entry here."""
        written = set()
        for path in (ROOT / "src/holdfast").rglob("*.py"):
            text = path.read_text()
            marks = (
                "holdfast.decisions",
                "DECISIONS",
                "why=",
                "why: ",
                "decisions.note(",
            )
            if any(mark in text for mark in marks):
                written |= set(
                    re.findall(r'f?"(\w+):[\w{./}+\[\]()\' _-]+(?:=|@)', text)
                )

        assert {"deadline", "client", "rate", "key"} <= written
        assert written - LAYERS.keys() == set()
        # And none is explained that nobody writes.
        assert LAYERS.keys() - written == set()


EXPLAINED = """\
request   r1
at        2026-11-27T08:00:00.000000Z
what      POST /v1/carts/7/checkout
route     /v1/carts/{cart_id:uuid}/checkout
caller    account
address   192.0.2.7
status    504
time      1502.2 ms
answer    310 bytes

rate:customer=allowed
  How much its caller, or its address, has asked of late.
  Here: within the limit.
  See docs/explanation/protection/limits-of-the-shop.md
deadline:asked=1500ms
  Its budget of time.
  Here: the time its client asked for.
  See docs/explanation/protection/deadlines.md
deadline:exceeded@payment=unknown
  Its budget of time.
  Here: time was over amid a change, which is seen to its end: 504.
  See docs/explanation/protection/deadlines.md
"""
