"""What is seen at a glance is what the parser would have read."""

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.api.protection.glance import glance

WANTED = {b"x-forwarded-for", b"authorization", b"x-request-id", b"origin"}
FIELDS = [
    *("host: shop", "accept: */*", "Accept-Language: de", "x-empty:", "cookie: a=b"),
    *("X-Forwarded-For: 192.0.2.1", "x-forwarded-for:203.0.113.9 , 10.0.0.1 \t"),
    *("Authorization: Bearer x", "authorization: y", "AUTHORIZATION : z"),
    *("x-request-id: abc", "Origin: https://shop.example"),
    *("content-length: 0", "Content-Length: 5", "content-length : 5"),
    *("transfer-encoding: chunked", "Transfer-Encoding:identity", "expect: 100"),
    *("connection: keep-alive", "Connection: close", "connection: Upgrade"),
    *("upgrade: websocket", " folded", "a: b\n", "a: b\ncontent-length: 5", "a\rb: c"),
    *("nothing", ": nameless", "a: \x00", "x-authorization: no", "a: \r\r"),
]
TARGETS = [
    "/",
    "/v1/products",
    "/v1/products?q=a%20b",
    "/a b",
    "//x",
    "/\u00fc",
    "/a\n",
]
FIRST_LINES = st.one_of(
    st.builds("GET {} HTTP/1.1".format, st.sampled_from(TARGETS)),
    st.sampled_from(
        [
            *(
                "GET  / HTTP/1.1",
                "POST / HTTP/1.1",
                "HEAD / HTTP/1.1",
                "get / HTTP/1.1",
            ),
            *("GET / HTTP/1.0", "GET http://x/ HTTP/1.1", "GET / HTTP/1.1 ", "GET /"),
            "GET / HTTP/1.1\r\nGET /x HTTP/1.1",
        ]
    ),
)
REQUESTS = st.builds(
    lambda first, fields, end: "\r\n".join((first, *fields)).encode() + end,
    FIRST_LINES,
    st.lists(st.sampled_from(FIELDS), max_size=6),
    st.sampled_from([b"\r\n\r\n", b"\r\n", b"\n\n", b"\r\n\r\nhello", b"\r\n\r\n\r\n"]),
)


class Heard:
    """What a parser says of some bytes."""

    def __init__(self, data):
        self.urls, self.fields, self.ends, self.body = [], [], 0, b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url):
        self.urls.append(url)

    def on_header(self, name, value):
        self.fields.append((name.lower(), value))

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.ends += 1


class TestGlance:
    @given(REQUESTS)
    @example(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    def test_sees_what_the_parser_reads_or_nothing(self, data):
        seen = glance(data)

        if seen is None:
            return
        target, fields = seen
        try:
            heard = Heard(data)
        except httptools.HttpParserError:
            # No request at all: refused all the same, and nothing is left of it.
            return
        assert heard.urls == [target]
        assert (heard.ends, heard.body) == (1, b"")
        assert heard.parser.get_method() == b"GET"
        assert heard.parser.should_keep_alive()
        # (Parsers differ in whether they leave white space at the end of a value.)
        read = [(n, v.strip(b" \t")) for n, v in heard.fields if n in WANTED]
        assert sorted(fields) == sorted(read)

    @pytest.mark.parametrize(
        ("fields", "seen"),
        [
            (b"", []),
            (b"Accept: */*\r\nConnection: keep-alive\r\n", []),
            (b"X-Forwarded-For: 192.0.2.1\r\n", [(b"x-forwarded-for", b"192.0.2.1")]),
            (b"ORIGIN:  https://a.b \r\n", [(b"origin", b"https://a.b")]),
            (b"authorization: Bearer X\r\n", [(b"authorization", b"Bearer X")]),
        ],
    )
    def test_takes_what_is_usual(self, fields, seen):
        assert glance(b"GET /v1/x?y=1 HTTP/1.1\r\nhost: x\r\n%s\r\n" % fields) == (
            b"/v1/x?y=1",
            seen,
        )

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"GET / HTTP/1.1\r\nhost: x\r\n",
            b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\na: b\ncontent-length: 3\r\n\r\n",
            b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nauthorization: a\r\nAuthorization: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nx: %s\r\n\r\n" % (b"y" * 5_000),
        ],
    )
    def test_leaves_everything_else_to_the_parser(self, data):
        assert glance(data) is None
