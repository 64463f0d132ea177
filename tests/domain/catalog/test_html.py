"""What stays of a description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog.html import MAX_HTML, sanitise


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


class TestBounds:
    def test_what_is_too_long_stays_so_and_is_no_html(self):
        html = "<div>" * 200_000 + "<script>alert(1)</script>"

        cleaned = sanitise(html)

        assert len(cleaned) > MAX_HTML
        assert "<" not in cleaned
        assert sanitise(cleaned) == cleaned

    def test_what_is_as_long_as_may_be_is_cleaned(self):
        html = "<p onclick=x()>a</p>".ljust(MAX_HTML, "b")

        assert sanitise(html) == "<p>a</p>".ljust(MAX_HTML - 12, "b")

    @pytest.mark.parametrize(
        "emphasis",
        [
            *("<b a{}>", "<B\ta{}>", "<i/a{}>", "<em\nid={}>", "<font color={}>"),
            *("<nobr\x0c{}>", "<strong a='<' b{}>", "<tt\r{} <u {}>", "<s a='>{}'>"),
            *("<small x='<code {}>'>", "<big {}><strike {}>", "<i lang='{}'>"),
        ],
    )
    def test_what_is_never_closed_is_not_opened_anew_without_end(self, emphasis):
        many = "".join(emphasis.replace("{}", str(n)) for n in range(400))

        cleaned = sanitise("<p>" + many + "<p>x" * 400)

        # Three of a kind in each paragraph, not all 400: that was a megabyte.
        assert len(cleaned) < 60_000
        assert sanitise(cleaned) == cleaned

    def test_what_grows_as_far_as_it_may_stays_the_same_when_cleaned_again(self):
        many = "".join(f"<i lang='{number}'>" for number in range(40))

        cleaned = sanitise("<p>" + many + "<p>x" * 30)

        assert sanitise(cleaned) == cleaned

    @pytest.mark.parametrize(
        ("html", "kept"),
        [
            ('A <strong class="x">brisk</strong>', "A <strong>brisk</strong>"),
            ('<i lang="la">Camellia</i>', '<i lang="la">Camellia</i>'),
            ("<b/>5 <i >x</i>", "<b>5 <i>x</i></b>"),
            ("<br><small\n>x</small>", "<br><small>x</small>"),
            ("a <b unfinished", "a"),
        ],
    )
    def test_emphasis_stays(self, html, kept):
        assert sanitise(html) == kept
