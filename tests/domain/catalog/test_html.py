"""What stays of a description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog.html import sanitise


class TestSanitise:
    def test_keeps_what_a_description_is_made_of(self):
        html = "<h2>Tea</h2><p>A <strong>brisk</strong> cup.</p><ul><li>50 g</li></ul>"

        assert sanitise(html) == html

    @pytest.mark.parametrize(
        ("html", "kept"),
        [
            ("<p onclick='x()'>a</p>", "<p>a</p>"),
            ("a<script>alert(1)</script>b", "ab"),
            ("a<style>p{}</style>b", "ab"),
            ("<iframe src='//x'></iframe>a", "a"),
            ("<img src='javascript:x()' alt='a'>", '<img alt="a">'),
            ("<svg onload=x()><circle/></svg>a", "a"),
            ("<p>a<!-- b --></p>", "<p>a</p>"),
            ("<b>never closed", "<b>never closed</b>"),
        ],
    )
    def test_takes_out_what_a_browser_would_run(self, html, kept):
        assert sanitise(html) == kept

    def test_tells_search_engines_not_to_follow_links(self):
        assert 'rel="noopener noreferrer nofollow"' in sanitise("<a href='http://x'>")

    @given(st.text(alphabet=st.sampled_from("<>&\"'/ap=b!-;\x00é"), max_size=60))
    def test_twice_is_the_same_as_once(self, html):
        once = sanitise(html)

        assert sanitise(once) == once
