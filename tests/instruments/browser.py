"""A browser without a window: follows redirects, keeps cookies, fills in forms.

It reads pages as a browser does, and so a test fails when a form lacks a field. What
it must not follow is any host but those it was told of: there it stops, as at a
client's redirect address, and the test looks at ``location``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_STEPS = 20


@dataclass
class Form:
    """A form of a page: where it goes, and what it holds already."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """What a person sees of a page, and what its forms hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.heading = ""
        self.alert = ""
        self.inputs: list[dict[str, str]] = []
        self.labels: set[str] = set()
        self.headings = 0
        self.scripts = 0
        self.language = ""
        self._inside: list[str] = []
        self._href = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "script" or any(name.startswith("on") for name in said):
            self.scripts += 1
        if tag in ("form", "input", "button"):
            self._field(tag, said)
        elif tag == "label":
            self.labels.add(said.get("for", ""))
        elif tag == "html":
            self.language = said.get("lang", "")
        elif tag == "h1":
            self.headings += 1
        elif tag == "a":
            self._href = said.get("href", "")
        if tag in ("h1", "a") or said.get("role") == "alert":
            self._inside.append(tag if tag in ("h1", "a") else "alert")

    def _field(self, tag: str, said: dict[str, str]) -> None:
        if tag == "form":
            self.forms.append(Form(said.get("action", ""), said.get("method", "get")))
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append(said)
        elif tag == "input" and self.forms:
            self.inputs.append(said)
            if "name" in said:
                self.forms[-1].fields[said["name"]] = said.get("value", "")

    def handle_data(self, data: str) -> None:
        if "h1" in self._inside:
            self.heading += data
        if "alert" in self._inside:
            self.alert += data
        if "a" in self._inside:
            self.links[data.strip()] = self._href

    def handle_endtag(self, tag: str) -> None:
        if self._inside and (tag == self._inside[-1] or self._inside[-1] == "alert"):
            self._inside.pop()


class Browser:
    """One person's browser; *hosts* are those it may follow a redirect to."""

    def __init__(self, client: httpx.AsyncClient, hosts: Iterable[str] = ()) -> None:
        self.client = client
        self._hosts = {urlsplit(str(client.base_url)).netloc, *hosts}
        self.answer: httpx.Response
        self.page: Page
        self.location: str | None = None
        """Where it was sent and did not go; None where it has arrived."""
        self.been: list[str] = []

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def path(self) -> str:
        return self.answer.request.url.path

    @property
    def sent(self) -> dict[str, str]:
        """The query of the address it was sent to last and did not follow."""
        assert self.location is not None, f"arrived at {self.answer.url}"
        query = parse_qs(urlsplit(self.location).query, keep_blank_values=True)
        return {name: values[0] for name, values in query.items()}

    def cookie(self, kind: str) -> str | None:
        """The value of one of the cookies of the shop that it is at home in."""
        home = self.client.base_url.host
        for cookie in self.client.cookies.jar:
            ours = cookie.domain.removesuffix(".local") == home
            if ours and cookie.name.endswith(f"holdfast_{kind}"):
                return cookie.value
        return None

    async def open(self, address: str, **query: str) -> "Browser":
        """Go to an address; returns itself."""
        self.answer = await self.client.get(
            address, params=query or None, follow_redirects=False
        )
        return await self._arrive()

    async def follow(self, link: str) -> "Browser":
        """Click on a link by its text."""
        return await self.open(urljoin(str(self.answer.url), self.page.links[link]))

    async def submit(
        self,
        *,
        form: int = 0,
        button: str | None = None,
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> "Browser":
        """Fill in a form and send it; *button* is the value of the one pressed."""
        filled = self.page.forms[form]
        unknown = fields.keys() - filled.fields.keys()
        assert not unknown, f"the form has no {unknown}"
        content = {**filled.fields, **fields}
        for each in filled.buttons:
            if button is not None and each.get("value") == button:
                content[each["name"]] = button
        self.answer = await self.client.post(
            urljoin(str(self.answer.url), filled.action),
            data=content,
            follow_redirects=False,
            headers={"Sec-Fetch-Site": "same-origin", **(headers or {})},
        )
        return await self._arrive()

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        """Send a form that no page of ours holds; follows nothing."""
        return await self.client.post(
            path, data=fields, headers=headers, follow_redirects=False
        )

    async def _arrive(self) -> "Browser":
        self.location = None
        for _ in range(_MOST_STEPS):
            self.been.append(str(self.answer.url))
            if self.answer.status_code not in _REDIRECTS:
                self.page = Page(self.answer.text)
                return self
            target = urljoin(str(self.answer.url), self.answer.headers["location"])
            if urlsplit(target).netloc not in self._hosts:
                self.location = target
                return self
            self.answer = await self.client.get(target, follow_redirects=False)
        raise AssertionError(f"sent around in circles: {self.been}")
