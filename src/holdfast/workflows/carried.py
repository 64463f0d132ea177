"""What products from a file bring besides: translations, and links to other products.

A link leads to a product by its handle, which may be in the same file further down. The
product goes in without it then, and the link is made when the whole file is in; until
then it waits with the job. A link that leads nowhere even then is told with its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import msgspec

from holdfast.domain import catalog
from holdfast.domain.catalog import Arrival, Difference, Draft, Entry, Fault
from holdfast.domain.imports import Link
from holdfast.platform.db import Transaction
from holdfast.workflows.showing import show

_TIMER = "system"


@dataclass(slots=True)
class Waiting:
    """Links that lead to products which are not there, by the product's handle."""

    links: dict[str, Link] = field(default_factory=dict)

    def add(
        self,
        arrival: Arrival,
        *,
        related: Sequence[str] | None = None,
        references: Mapping[str, str] | None = None,
    ) -> None:
        """Let links of a product wait; what it is related to does so as a whole."""
        handle = arrival.draft.handle
        link = self.links.get(handle, Link(handle, arrival.line))
        self.links[handle] = replace(
            link,
            related=link.related if related is None else tuple(related),
            references={**link.references, **(references or {})},
        )


async def resolved(
    tx: Transaction, arrivals: Sequence[Arrival], waiting: Waiting | None
) -> list[Arrival]:
    """The arrivals with ids where attributes refer to products by their handles.

    What is not there waits if it may; else ``ProductInvalid``.
    """
    arrivals = await _understood(tx, arrivals)
    named = {
        code
        for arrival in arrivals
        for code, value in arrival.draft.attributes.items()
        if _is_name(value)
    }
    kinds = await catalog.kinds_of(tx, sorted(named)) if named else {}
    codes = frozenset(code for code, kind in kinds.items() if kind == "reference")
    wanted = {
        str(arrival.draft.attributes[code])
        for arrival in arrivals
        for code in codes & arrival.draft.attributes.keys()
        if _is_name(arrival.draft.attributes[code])
    }
    if not wanted:
        return list(arrivals)
    known = await catalog.imported(tx, sorted(wanted))
    ids = {handle: str(id_) for handle, (id_, _) in known.items()}
    return [_referring(arrival, codes, ids, waiting) for arrival in arrivals]


async def _understood(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The arrivals with values where a file has cells."""
    codes = {
        code
        for arrival in arrivals
        if arrival.is_lossy
        for code in arrival.draft.attributes
    }
    if not codes:
        return list(arrivals)
    kinds = await catalog.kinds_of(tx, sorted(codes))
    return [
        replace(
            arrival,
            draft=replace(
                arrival.draft, attributes=catalog.typed(arrival.draft.attributes, kinds)
            ),
        )
        if arrival.is_lossy
        else arrival
        for arrival in arrivals
    ]


def _referring(
    arrival: Arrival,
    codes: frozenset[str],
    ids: Mapping[str, str],
    waiting: Waiting | None,
) -> Arrival:
    attributes = dict(arrival.draft.attributes)
    lost: dict[str, str] = {}
    for code in codes & attributes.keys():
        value = attributes[code]
        if not _is_name(value):
            continue
        if (found := ids.get(str(value))) is not None:
            attributes[code] = found
        else:
            lost[code] = str(attributes.pop(code))
    if lost and waiting is None:
        gone = [Fault(f"/attributes/{code}", "does not exist") for code in sorted(lost)]
        raise catalog.ProductInvalid(gone)
    if lost and waiting is not None:
        waiting.add(arrival, references=lost)
    return replace(arrival, draft=replace(arrival.draft, attributes=attributes))


def _is_name(value: catalog.Value) -> bool:
    """Whether a value could be the handle of a product; an id never is."""
    return isinstance(value, str) and catalog.is_handle(value)


async def bring(
    tx: Transaction,
    come: Sequence[tuple[Entry, Arrival]],
    waiting: Waiting | None,
    *,
    at: datetime,
) -> dict[UUID, list[Difference]]:
    """Say of locked products what files say besides; returns what was changed.

    Raises ``ProductInvalid``. `show` must follow.
    """
    said = await _translate(tx, [one for one in come if one[1].texts], at=at)
    found = await _relate(
        tx, [one for one in come if one[1].related is not None], waiting
    )
    for product_id, difference in found.items():
        said.setdefault(product_id, []).append(difference)
    return said


async def _translate(
    tx: Transaction, come: Sequence[tuple[Entry, Arrival]], *, at: datetime
) -> dict[UUID, list[Difference]]:
    if not come:
        return {}
    codes = {
        code
        for _, arrival in come
        for texts in arrival.texts.values()
        for code in texts.attributes
    }
    known = await catalog.hold_attributes(tx, sorted(codes)) if codes else {}
    there = await catalog.texts_of(tx, [entry.id for entry, _ in come])
    wanted: list[tuple[UUID, str, catalog.ProductTexts]] = []
    changed: dict[UUID, list[Difference]] = {}
    for entry, arrival in come:
        old = there.get(entry.id, {})
        if len(old.keys() | arrival.texts.keys()) > catalog.MAX_TRANSLATIONS:
            most = f"would be more than {catalog.MAX_TRANSLATIONS}"
            raise catalog.ProductInvalid([Fault("/translations", most)])
        for locale, texts in arrival.texts.items():
            new = texts.named(entry.draft.images)
            here = f"/translations/{locale}"
            if wrong := list(new.faults(entry.draft, known)):
                raise catalog.ProductInvalid(
                    [Fault(f"{here}{one.pointer}", one.detail) for one in wrong]
                )
            before = old.get(locale)
            if new == before:
                continue
            wanted.append((entry.id, locale, new))
            told = None if before is None else msgspec.to_builtins(before)
            difference = Difference(here, told, msgspec.to_builtins(new))
            changed.setdefault(entry.id, []).append(difference)
    if wanted:
        await catalog.put_texts(tx, wanted, at=at)
    return changed


async def _relate(
    tx: Transaction,
    come: Sequence[tuple[Entry, Arrival]],
    waiting: Waiting | None,
) -> dict[UUID, Difference]:
    if not come:
        return {}
    handles = {handle for _, arrival in come for handle in arrival.related or ()}
    ids = await catalog.hold_called(tx, sorted(handles)) if handles else {}
    wanted = {}
    for entry, arrival in come:
        related = arrival.related or ()
        lost = [n for n, handle in enumerate(related) if handle not in ids]
        if not lost:
            wanted[entry.id] = [ids[handle] for handle in related]
        elif waiting is None:
            gone = [Fault(f"/related/{n}", "does not exist") for n in lost]
            raise catalog.ProductInvalid(gone)
        else:
            waiting.add(arrival, related=related)
    return await _put_related(tx, wanted)


async def _put_related(
    tx: Transaction, wanted: Mapping[UUID, Sequence[UUID]]
) -> dict[UUID, Difference]:
    old = await catalog.related_ids_to(tx, list(wanted)) if wanted else {}
    changed = {id_: ids for id_, ids in wanted.items() if [*old.get(id_, ())] != [*ids]}
    if changed:
        await catalog.relate_all(tx, changed)
    return {
        id_: Difference("/related", _texts(old.get(id_, ())), _texts(ids))
        for id_, ids in changed.items()
    }


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]


async def link(
    tx: Transaction, links: Sequence[Link], *, at: datetime, actor: str
) -> dict[str, list[str]]:
    """Make links that have waited; returns what leads nowhere, by the product's handle.

    A product that is gone meanwhile has none. One of which a link is lost forgets what
    it was imported from, so that the same line makes it when there is what it leads to.
    Raises ``ProductInvalid`` where a definition has changed meanwhile.
    """
    known = await catalog.imported(tx, [one.handle for one in links])
    found = {handle: id_ for handle, (id_, _) in known.items()}
    held = await catalog.lock_called(tx, found, at=at)
    names = {name for one in links for name in one.names}
    ids = await catalog.hold_called(tx, sorted(names)) if names else {}
    lost: dict[str, list[str]] = {}
    entries: list[Entry] = []
    related: dict[UUID, list[UUID]] = {}
    for one in (one for one in links if one.handle in held):
        product = held[one.handle]
        if one.related is not None:
            related[product.id] = [ids[name] for name in one.related if name in ids]
        if gone := one.lost(ids):
            lost[one.handle] = gone
        attributes = {
            code: str(ids[name]) for code, name in one.references.items() if name in ids
        }
        draft = catalog.draft_of(product)
        said = replace(draft, attributes={**draft.attributes, **attributes})
        if said != draft:
            entries.append(Entry(product.id, said))
    await _link(tx, entries, related, held, actor=actor, at=at)
    forgetful = [
        Entry(held[handle].id, catalog.draft_of(held[handle])) for handle in lost
    ]
    if forgetful:
        await catalog.remember_sources(tx, forgetful)
    return lost


async def _link(
    tx: Transaction,
    entries: Sequence[Entry],
    related: Mapping[UUID, Sequence[UUID]],
    held: Mapping[str, catalog.Product],
    *,
    actor: str,
    at: datetime,
) -> None:
    await catalog.check_attributes(tx, [entry.draft.attributes for entry in entries])
    if entries:
        await catalog.change(tx, entries, at=at)
    differences = {
        id_: [difference]
        for id_, difference in (await _put_related(tx, related)).items()
    }
    drafts: dict[UUID, Draft] = {entry.id: entry.draft for entry in entries}
    touched = [id_ for id_ in differences if id_ not in drafts]
    if touched:
        await catalog.touch(tx, touched, at=at)
    await show(tx, [*drafts, *touched])
    before = {one.id: one for one in held.values()}
    turned = catalog.turned(before[id_] for id_ in drafts)
    await catalog.note(tx, turned, actor=_TIMER, at=at)
    notes = []
    for id_ in [*drafts, *touched]:
        old = catalog.draft_of(before[id_])
        said = catalog.differences(old, drafts.get(id_, old))
        notes.append(catalog.Note(id_, "changed", [*said, *differences.get(id_, ())]))
    await catalog.note(tx, notes, actor=actor, at=at)
