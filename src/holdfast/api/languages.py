"""In which language somebody is answered, and how the answer says so.

``Accept-Language`` asks, ``Content-Language`` tells (more than one where not all texts
are translated), and ``Vary`` tells caches that the same address has other answers. An
answer in another language than the shop's own has another tag, even where both are the
same byte for byte: what they say about themselves is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from litestar import Response
from litestar.params import HeaderParameter

from holdfast.api import editions
from holdfast.api.decoding import invalid_parameter
from holdfast.api.shop import Shop
from holdfast.domain import catalog, search
from holdfast.kernel.languages import canonical
from holdfast.kernel.negotiation import Preference, preferred

AcceptLanguage = Annotated[
    str | None,
    HeaderParameter(
        name="Accept-Language",
        description="The languages that texts are wanted in, as de-AT, fr;q=0.5. What "
        "is not translated is in the shop's own; what is no language is ignored.",
    ),
]


def wanted(shop: Shop, accept_language: str | None) -> Preference | None:
    """What somebody wants to read; None where they do not say."""
    if accept_language is None:
        return None
    return preferred(accept_language, shop.settings.language)


def first(shop: Shop, preference: Preference | None) -> str:
    """The language somebody wants most, in which they may be taken to write."""
    if preference is None or not preference.tags:
        return shop.settings.language
    return preference.tags[0]


def of(shop: Shop, shown: Iterable[catalog.Document]) -> tuple[str, ...]:
    """The languages that several products are in."""
    own = (shop.settings.language,)
    every = (tag for document in shown for tag in document.languages or own)
    return tuple(dict.fromkeys(every))


def called(
    shop: Shop, product: search.Suggestion, preference: Preference | None
) -> tuple[str, str]:
    """The title of a product that is suggested, and the language it is in."""
    if preference is not None and (titles := product.called):
        for tag in preference.choose(titles):
            if title := titles[tag]:
                return title, tag
    return product.title, shop.settings.language


def tag_of(said: str) -> str:
    """The language a path names, as its tag is kept."""
    tag = canonical(said)
    if tag is None:
        raise invalid_parameter("locale", "Must be a language tag as de or pt-BR")
    return tag


def another(shop: Shop, said: str) -> str:
    """The same of what is to be translated: any language but the shop's own."""
    tag = tag_of(said)
    if tag == shop.settings.language:
        raise invalid_parameter("locale", "Must not be the shop's own language")
    return tag


def answer(
    shop: Shop,
    body: bytes,
    languages: Sequence[str],
    *,
    version: int | None = None,
    if_none_match: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """*body* in these languages, none for the shop's own, or 304 for who has it."""
    own = shop.settings.language
    spoken = ", ".join(languages) or own
    return editions.answer(
        body,
        version=version,
        language=None if spoken == own else spoken,
        if_none_match=if_none_match,
        headers={
            "Content-Language": spoken,
            "Vary": "Accept-Language",
            **(headers or {}),
        },
    )
