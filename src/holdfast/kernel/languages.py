"""Names of languages as the world writes them: ``de``, ``pt-BR``, ``zh-Hant-TW``.

RFC 5646 (BCP 47) says what such a tag looks like and which of two spellings is the
right one; ISO 639-1 which languages have two letters. Languages of three letters are
taken as they are said, there being eight thousand of them, and so are scripts.
"""

# ruff: noqa: SIM905 - language codes read better as words than as a list
import re

from holdfast.kernel.countries import COUNTRIES

MAX_TAG = 35
"""Characters of a tag; RFC 5646 4.4.1 shows that no sensible one has more."""

# ISO 639-1, each with what ISO 639-2 calls it. The shorter is the right one
# (RFC 5646 2.2.1).
_TWO_LETTERS = (
    "aa/aar ab/abk ae/ave af/afr ak/aka am/amh an/arg ar/ara as/asm av/ava ay/aym "
    "az/aze ba/bak be/bel bg/bul bh/bih bi/bis bm/bam bn/ben bo/bod/tib br/bre bs/bos "
    "ca/cat ce/che ch/cha co/cos cr/cre cs/ces/cze cu/chu cv/chv cy/cym/wel da/dan "
    "de/deu/ger dv/div dz/dzo ee/ewe el/ell/gre en/eng eo/epo es/spa et/est "
    "eu/eus/baq fa/fas/per ff/ful fi/fin fj/fij fo/fao fr/fra/fre fy/fry ga/gle "
    "gd/gla gl/glg gn/grn gu/guj gv/glv ha/hau he/heb hi/hin ho/hmo hr/hrv ht/hat "
    "hu/hun hy/hye/arm hz/her ia/ina id/ind ie/ile ig/ibo ii/iii ik/ipk io/ido "
    "is/isl/ice it/ita iu/iku ja/jpn jv/jav ka/kat/geo kg/kon ki/kik kj/kua kk/kaz "
    "kl/kal km/khm kn/kan ko/kor kr/kau ks/kas ku/kur kv/kom kw/cor ky/kir la/lat "
    "lb/ltz lg/lug li/lim ln/lin lo/lao lt/lit lu/lub lv/lav mg/mlg mh/mah mi/mri/mao "
    "mk/mkd/mac ml/mal mn/mon mr/mar ms/msa/may mt/mlt my/mya/bur na/nau nb/nob "
    "nd/nde ne/nep ng/ndo nl/nld/dut nn/nno no/nor nr/nbl nv/nav ny/nya oc/oci oj/oji "
    "om/orm or/ori os/oss pa/pan pi/pli pl/pol ps/pus pt/por qu/que rm/roh rn/run "
    "ro/ron/rum ru/rus rw/kin sa/san sc/srd sd/snd se/sme sg/sag si/sin sk/slk/slo "
    "sl/slv sm/smo sn/sna so/som sq/sqi/alb sr/srp ss/ssw st/sot su/sun sv/swe sw/swa "
    "ta/tam te/tel tg/tgk th/tha ti/tir tk/tuk tl/tgl tn/tsn to/ton tr/tur ts/tso "
    "tt/tat tw/twi ty/tah ug/uig uk/ukr ur/urd uz/uzb ve/ven vi/vie vo/vol wa/wln "
    "wo/wol xh/xho yi/yid yo/yor za/zha zh/zho/chi zu/zul"
)
# What was called otherwise once: languages and countries (IANA's registry, 2025).
_RENAMED = "he/iw yi/ji id/in jv/jw ro/mo"
_MOVED = dict(
    zip("BU DD FX TP YD ZR".split(), "MM DE FR TL YE CD".split(), strict=True)
)
_LANGUAGES = {
    name: entry[:2]
    for entry in f"{_TWO_LETTERS} {_RENAMED}".split()
    for name in entry.split("/")
}

# Tags from before there were rules (RFC 5646 2.2.8). What has no name of today is None.
_IRREGULAR = {
    "art-lojban": "jbo",
    "cel-gaulish": None,
    "en-gb-oed": "en-GB-oxendict",
    "i-ami": "ami",
    "i-bnn": "bnn",
    "i-hak": "hak",
    "i-klingon": "tlh",
    "i-lux": "lb",
    "i-navajo": "nv",
    "i-pwn": "pwn",
    "i-tao": "tao",
    "i-tay": "tay",
    "i-tsu": "tsu",
    "no-bok": "nb",
    "no-nyn": "nn",
    "sgn-be-fr": "sfb",
    "sgn-be-nl": "vgt",
    "sgn-ch-de": "sgg",
    "zh-guoyu": "cmn",
    "zh-hakka": "hak",
    "zh-min": None,
    "zh-min-nan": "nan",
    "zh-xiang": "hsn",
}
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<extended>[a-z]{3}))?"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*)"
    r"(?P<private>(?:-x(?:-[a-z0-9]{1,8})+)?)"
)
_EXTENSION = re.compile(r"-([0-9a-wy-z](?:-[a-z0-9]{2,8})+)")
# Codes that are nobody's, for whoever needs one, as XK for Kosovo (RFC 5646 2.2.4).
_PRIVATE_REGION = re.compile(r"AA|Q[M-Z]|X[A-Z]|ZZ")


def canonical(tag: str) -> str | None:
    """A tag as it should be written (RFC 5646 4.5); None for what is none.

    ``DE-at`` -> ``de-AT``, ``deu`` -> ``de``, ``iw`` -> ``he``, ``zh-cmn-hans`` ->
    ``cmn-Hans``. Twice is the same as once.
    """
    if len(tag) > MAX_TAG or not tag.isascii():
        return None
    low = tag.lower()
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    match = _TAG.fullmatch(low)
    if match is None:
        return None
    language = match["extended"] or match["language"]
    language = _LANGUAGES.get(language, language)
    region = _region(match["region"])
    variants = match["variants"].split("-")[1:]
    extensions = sorted(_EXTENSION.findall(match["extensions"]))
    singletons = {extension[0] for extension in extensions}
    if (
        (len(language) == 2 and language not in _LANGUAGES)  # noqa: PLR2004 - letters
        or region is None
        or len(set(variants)) < len(variants)
        or len(singletons) < len(extensions)
    ):
        return None
    parts = [language, (match["script"] or "").title(), region, *variants, *extensions]
    return "-".join(filter(None, parts)) + match["private"]


def _region(said: str | None) -> str | None:
    """A country or a part of the world; empty for none, None for what is neither."""
    if said is None or said.isdigit():
        return said or ""
    region = _MOVED.get(said.upper(), said.upper())
    known = region in COUNTRIES or _PRIVATE_REGION.fullmatch(region)
    return region if known else None


def broader(tag: str) -> tuple[str, ...]:
    """A tag and what it is a kind of: ``de-AT``, ``de`` (RFC 4647 3.4)."""
    parts = tag.split("-")
    found = []
    while parts:
        found.append("-".join(parts))
        parts.pop()
        # What stands after one letter belongs to it, and it means nothing alone.
        while parts and len(parts[-1]) == 1:
            parts.pop()
    return tuple(found)
