"""The page shows what was found, to eyes and to ears, and needs nothing else."""

import json
import re
from dataclasses import replace

import pytest

from holdfast.cli.prove.blows import Struck
from holdfast.cli.prove.page import page
from holdfast.cli.prove.report import Part, Report
from holdfast.cli.prove.size import QUICK
from holdfast.cli.prove.verdict import Verdict


@pytest.fixture
def report(said):
    def make(*broken):
        history = [
            said("hold", 201, at=100.0, expires=104.0, attempt=True),
            said("hold", 409, problem="out-of-stock", at=101.0, attempt=True),
            said(order="order-1", state="confirmed", at=102.0),
            said(status=0, at=103.0),
        ]
        verdict = Verdict("one <cart> is one order", 3, list(broken))
        struck = [Struck("api", 101.0, 102.5)]
        return Report([Part("oversell", [verdict], history, struck)], QUICK, 20, 12.0)

    return make


class TestPage:
    def test_shows_every_plot_with_words_and_numbers_beside_it(self, report):
        shown = page(report())

        plots = re.findall(r"<svg .*?</svg>", shown)
        # Nobody was told to come back later: nothing to see of that.
        assert len(plots) == 5
        for plot in plots:
            assert re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', plot)
            assert "<title" in plot
            assert "api at 1.0 s, back after 1.5 s" in plot
        assert "The plots as a table" in shown
        assert "order confirmed" in shown

    def test_needs_no_script_and_nothing_from_elsewhere(self, report):
        assert not re.search(
            r"<script|https?://|@import|<link|\son\w+=", page(report())
        )

    def test_says_what_the_payment_provider_did(self, report):
        whole = report()
        part = replace(whole.parts[0], scenes=["it is <down>", "it is back"])

        shown = page(replace(whole, parts=[part]))

        assert "<ol><li>it is &lt;down&gt;</li><li>it is back</li></ol>" in shown
        assert "What the payment provider did" not in page(whole)

    def test_names_what_was_broken(self, report):
        shown = page(report("cart <1> has 2 orders"))

        assert "cart &lt;1&gt; has 2 orders" in shown
        assert "<cart>" not in shown
        assert 'class="verdict broken"' in shown


class TestReport:
    def test_says_so_in_words(self, report):
        kept, broken = report().text(), report("cart 1 has 2 orders").text()

        assert "kept    one <cart> is one order (3)" in kept
        assert "all promises kept" in kept
        assert "BROKEN  one <cart> is one order (3)" in broken
        assert "1 of 1 promises BROKEN" in broken
        assert not report("x").kept

    def test_says_what_the_payment_provider_did(self, report):
        whole = report()
        part = replace(whole.parts[0], scenes=["it is down", "it is back"])

        told = replace(whole, parts=[part])

        assert "  the payment provider: it is down; it is back\n" in told.text()
        assert json.loads(told.json())["parts"][0]["scenes"] == part.scenes

    def test_says_that_it_took_too_long_and_calls_that_no_violation(self, report):
        in_time = replace(report(), seconds=QUICK.bound_seconds)
        late = replace(report(), seconds=QUICK.bound_seconds + 1)

        assert json.loads(in_time.json())["in_time"]
        assert "It took" not in in_time.text() + page(in_time)
        assert not json.loads(late.json())["in_time"]
        said = "It took 31 s: longer than the 30 s of two cores that do nothing else."
        assert late.text().endswith(
            f"all promises kept; 31 s (0 s of CPU), seed 20\n{said}"
        )
        assert said in page(late)
        assert late.kept
