"""Whose export it is, and which members belong to which connector: decided by content, never by name alone."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn, get_args

from nof1.connect.connector import Connector, Form, Found, Imported, ReadOptions
from nof1.connect.heads import HEAD_BYTES, Head, Kind
from nof1.connect.reading import Export, Member
from nof1.connect.refusals import doubted, refuse, untested, without_nights
from nof1.connect.registry import ConnectorFailedWarning, failed, find_connector, find_connectors
from nof1.errors import ConnectorFailedError, DataError, Nof1Error, ReadError

NEVER_SLEEP: Final = (
    *(".jpg", ".jpeg", ".png", ".gif", ".heic", ".webp", ".svg", ".mp4", ".mov", ".avi", ".mp3", ".m4a", ".wav"),
    *(".html", ".htm", ".pdf", ".css", ".js", ".gpx", ".tcx", ".kml", ".mbox", ".ics", ".vcf", ".docx", ".xlsx"),
)
"""Endings of files that are not opened: a name cannot make a match here, it can only spare a look at a photograph."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one connector claims of an export.

    Parameters
    ----------
    because
        The evidence, in words.
    skipped
        Members that look like this source's sleep but are not read (name, why); of the first claim of an export also
        those that are too damaged to tell what they are.
    """

    connector: Connector
    found: Found
    because: str
    skipped: tuple[tuple[str, str], ...] = ()
    untested: tuple[str, ...] = ()
    """The evidence of claimed forms that no real export has been met of."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Every claimed member, form by form."""
        return tuple(member for members in self.found.values() for member in members)

    def read(self, options: ReadOptions) -> Imported:
        """Read what is claimed."""
        return self.connector.read(self.found, options)


@dataclass(frozen=True, slots=True)
class Together:
    """What one connector claims of exports that were named together.

    Parameters
    ----------
    apart
        Its claim of each export by itself, with the export's place among them.
    joined
        Its claim of several of them as one export, its members named with their export; None where the exports cannot
        need each other, because it found no file that only helps to read another.
    parts
        The places of those exports.
    groups
        The same of each lot of exports that share an outermost folder, where some do and others do not: the former are
        likelier the parts of one download. To be read instead of `apart`; empty where folders tell nothing.
    """

    apart: tuple[tuple[int, Claim], ...]
    joined: Claim | None = None
    parts: tuple[int, ...] = ()
    groups: tuple["Together", ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim that is read, some of them to be compared with others."""
        joined = (self.joined,) if self.joined else ()
        apart = [claim for one in self.groups for claim in one.claims] or [claim for _, claim in self.apart]
        return (*apart, *joined)

    def telling(self, told: Iterable[tuple[str, str]], *, apart: bool = True) -> "Together":
        """Tell more of what was skipped, whichever way it is read; or only where it is read joined."""
        told = tuple(told)
        (place, first), *others = self.apart
        groups = self.groups
        if apart:
            first = replace(first, skipped=(*first.skipped, *told))
            groups = (*(one.telling(told) for one in groups[:1]), *groups[1:])
        joined = self.joined and replace(self.joined, skipped=(*self.joined.skipped, *told))
        return Together(((place, first), *others), joined, self.parts, groups)


@dataclass(slots=True)
class _Sorted:
    """The members of one connector, while an export is looked through."""

    connector: Connector
    members: list[tuple[Form, Member]] = field(default_factory=list)

    def forms(self, kind: Kind) -> list[Form]:
        """The forms that are asked about a member of this kind."""
        return [form for form in self.connector.forms if form.kind == kind]

    def kept(self, *, untested_ok: bool) -> list[tuple[Form, Member]]:
        """The members that are read, if any of them holds sleep by itself."""
        return [(form, member) for form, member in self.members if form.seen or untested_ok]

    def is_sure(self, *, untested_ok: bool) -> bool:
        """Say whether it claims something by more than weak evidence."""
        return any(form.alone and not form.weak for form, _ in self.kept(untested_ok=untested_ok))

    def give_up_the_weak(self) -> list[tuple[str, str]]:
        """Give up the members that are known by weak evidence only; name them."""
        weak = [(form, member) for form, member in self.members if form.weak]
        self.members = [(form, member) for form, member in self.members if not form.weak]
        return [(member.name, doubted(self.connector, form)) for form, member in weak]

    def claim(self, foreign: Sequence[Member], *, untested_ok: bool) -> Claim | None:
        """Claim what was found, if it holds sleep by itself; name those of the `foreign` members that seem to."""
        kept = self.kept(untested_ok=untested_ok)
        if not any(form.alone for form, _ in kept):
            return None
        left = self.left(untested_ok=untested_ok)
        found = {form.name: tuple(m for other, m in kept if other is form) for form in self.connector.forms}
        first, member = next((form, member) for form, member in kept if form.alone)
        because = f"{member.name} holds {first.evidence}"
        only_named = [
            (member.name, f"it is named like {form.evidence} and holds none")
            for member, form in self.named_like(foreign)
        ]
        never_met = tuple(sorted({form.evidence for form, _ in kept if not form.seen}))
        return Claim(self.connector, found, because, (*only_named, *left), never_met)

    def left(self, *, untested_ok: bool) -> list[tuple[str, str]]:
        """The members that are left out because no real export of their form was ever met."""
        return [
            (member.name, untested(self.connector, form))
            for form, member in self.members
            if not (form.seen or untested_ok)
        ]

    def named_like(self, members: Iterable[Member]) -> Iterator[tuple[Member, Form]]:
        """Those of the members that are named as this source's sleep usually is, each with the form."""
        patterns = {form.named: form for form in reversed(self.connector.forms) if form.named}
        for member in members:
            for pattern, form in patterns.items():
                if pattern.search(member.name):
                    yield member, form
                    break


@dataclass(slots=True)
class _Looked:
    """An export that was looked through: the members of each connector, those of nobody, and what is to be told."""

    export: Export
    sorted_: list[_Sorted]
    foreign: list[Member] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    def claims(self, *, untested_ok: bool) -> tuple[Claim, ...]:
        """The claim of each connector by name; the first tells of what no claim tells of."""
        found = [one.claim(self.foreign, untested_ok=untested_ok) for one in self.sorted_]
        claims = [claim for claim in found if claim is not None]
        told = (*self.told, *self.left([claim.connector.name for claim in claims], untested_ok=untested_ok))
        return (replace(claims[0], skipped=(*claims[0].skipped, *told)), *claims[1:]) if claims else ()

    def left(self, claimed: Sequence[str], *, untested_ok: bool) -> list[tuple[str, str]]:
        """What connectors that claim nothing would read if the person said so."""
        unclaimed = (one for one in self.sorted_ if one.connector.name not in claimed)
        return [note for one in unclaimed for note in one.left(untested_ok=untested_ok)]

    def of(self, name: str) -> _Sorted:
        """The members of one connector."""
        return next(one for one in self.sorted_ if one.connector.name == name)

    def refuse(self, source: str | None) -> NoReturn:
        """Refuse the export, of which nothing is claimed."""
        met = [(one.connector, form, member) for one in self.sorted_ for form, member in one.members]
        refuse(self.export, [one.connector for one in self.sorted_], met, source)

    def folders(self) -> set[str]:
        """The outermost folders of its members, which the parts of one download share."""
        return {member.name.partition("/")[0] for member in self.export.members if "/" in member.name}


def recognise(export: Export, source: str | None = None, *, untested_ok: bool = False) -> tuple[Claim, ...]:
    """Decide which connectors read which members of an export.

    A connector that fails at its look is warned about, and claims nothing.

    Parameters
    ----------
    source
        The name of the only connector to ask; None asks them all.
    untested_ok
        Whether forms that have never been met in a real export are read too.

    Returns
    -------
    tuple
        One claim a connector, in order of name; never empty.

    Raises
    ------
    DataError
        No connector claims anything, two claim the same member, or a member that is named like sleep is damaged.
    UsageError
        There is no connector named `source`; or only forms were found that need `untested_ok`.
    ConnectorFailedError
        The connector that was asked for failed.
    """
    (looked,) = _look_through([export], source, untested_ok=untested_ok)
    claims = looked.claims(untested_ok=untested_ok)
    if not claims:
        looked.refuse(source)
    return claims


def recognise_together(
    exports: Sequence[Export], source: str | None = None, *, untested_ok: bool = False
) -> tuple[Together, ...]:
    """Decide which connectors read which members of exports that a person named in one command.

    They may be the parts of one download, or two downloads, and no content says which. So each connector claims what
    it knows of every export by itself; where there is a file among them that only helps to read another, which may
    lie in another part, it claims them joined as well, and whoever reads chooses what tells more. An export that
    holds no sleep is refused as if it were alone, unless it lies in the same folders as one that does: a part of a
    download may hold none, and then it is told about.

    Returns
    -------
    tuple
        One for each connector that claims anything; never empty.

    Raises
    ------
    DataError, UsageError, ConnectorFailedError
        As `recognise`, of any of the exports.
    """
    looked = _look_through(exports, source, untested_ok=untested_ok)
    claims = [one.claims(untested_ok=untested_ok) for one in looked]
    names = sorted({claim.connector.name for some in claims for claim in some})
    told = [
        note
        for one, some in zip(looked, claims, strict=True)
        if not some
        for note in _told_of_a_part(one, looked, claims, source, untested_ok=untested_ok)
    ]
    every = range(len(looked))
    together = [_together(name, looked, claims, every, untested_ok=untested_ok) for name in names]
    together[0] = together[0].telling(told)
    return tuple(together)


def _together(
    name: str,
    looked: Sequence[_Looked],
    claims: Sequence[tuple[Claim, ...]],
    places: Sequence[int],
    *,
    untested_ok: bool,
) -> Together:
    """Claim the exports at these places for one connector, by themselves and joined."""
    apart = {i: claim for i in places for claim in claims[i] if claim.connector.name == name}
    kept = {i: one.of(name).kept(untested_ok=untested_ok) for i, one in enumerate(looked)}
    parts = tuple(i for i in places if kept[i])
    if len(parts) == 1 or all(form.alone for i in parts for form, _ in kept[i]):
        return Together(tuple(apart.items()))
    labels = [one.export.name for one in looked]
    if len(set(labels)) < len(labels):
        labels = [str(one.export.path) for one in looked]
    named = [
        (member.name, labels[i], form, replace(member, name=f"{labels[i]}/{member.name}"))
        for i in parts
        for form, member in kept[i]
    ]
    named.sort(key=lambda one: one[:2])
    joined = _Sorted(looked[0].of(name).connector, [(form, member) for *_, form, member in named])
    claim = joined.claim((), untested_ok=untested_ok)
    told = [(f"{labels[i]}/{member}", why) for i, one in apart.items() for member, why in one.skipped]
    lacking = {i: [(member.name, without_nights(labels[i])) for _, member in kept[i]] for i in parts}
    lacking = {i: told_of for i, told_of in lacking.items() if i not in apart}
    lots = _by_folder(looked, parts)
    readable = [sorted(lot) for lot in lots if apart.keys() & lot]
    groups = [_together(name, looked, claims, lot, untested_ok=untested_ok) for lot in readable]
    if groups:
        alone = [note for lot in lots if not apart.keys() & lot for i in sorted(lot) for note in lacking[i]]
        groups[0] = groups[0].telling(alone)
    by_themselves = Together(tuple(apart.items())).telling(note for notes in lacking.values() for note in notes)
    return Together(by_themselves.apart, claim, parts, tuple(groups)).telling(told, apart=False)


def _by_folder(looked: Sequence[_Looked], places: Sequence[int]) -> list[set[int]]:
    """Divide exports into lots that share an outermost folder; none where all are one lot, or no two share any."""
    lots: list[tuple[set[int], set[str]]] = []
    for i in places:
        mine, folders = {i}, looked[i].folders()
        for other in [lot for lot in lots if lot[1] & folders]:
            lots.remove(other)
            mine, folders = mine | other[0], folders | other[1]
        lots.append((mine, folders))
    return [lot for lot, _ in lots] if 1 < len(lots) < len(places) else []


def _told_of_a_part(
    one: _Looked,
    looked: Sequence[_Looked],
    claims: Sequence[tuple[Claim, ...]],
    source: str | None,
    *,
    untested_ok: bool,
) -> list[tuple[str, str]]:
    """Say what becomes of an export of which nothing is claimed by itself; refuse it where it is no part."""
    claimed = [(other, {claim.connector.name for claim in some}) for other, some in zip(looked, claims, strict=True)]
    names = set().union(*(names for _, names in claimed))
    helps = any(one.of(name).kept(untested_ok=untested_ok) for name in names)
    shared = any(one.folders() & other.folders() for other, names in claimed if names)
    if not (helps or shared):
        one.refuse(source)
    nothing = [] if helps else [(one.export.name, "it lies in the same folders as the others and holds no sleep")]
    return [*nothing, *one.told, *one.left([], untested_ok=untested_ok)]


def _look_through(exports: Sequence[Export], source: str | None, *, untested_ok: bool) -> list[_Looked]:
    """Look into every member of every export, and sort out what stands."""
    connectors = [find_connector(source)] if source is not None else list(find_connectors().values())
    broken: set[str] = set()
    looked = [_Looked(export, [_Sorted(connector) for connector in connectors]) for export in exports]
    for one in looked:
        _sort(one, broken, asked_for=source is not None)
    for one in looked:
        one.sorted_ = [connector for connector in one.sorted_ if connector.connector.name not in broken]
        sure = {claim.connector.name for claim in one.sorted_ if claim.is_sure(untested_ok=untested_ok)}
        for other in one.sorted_:
            if sure - {other.connector.name}:
                one.told += other.give_up_the_weak()
    return looked


def _sort(looked: _Looked, broken: set[str], *, asked_for: bool) -> None:
    """Give each member to the connector that it belongs to; keep the foreign ones, and what is wrong with others."""
    sorted_, members = looked.sorted_, looked.export.members
    asked = {kind: [(one, forms) for one in sorted_ if (forms := one.forms(kind))] for kind in get_args(Kind)}
    for member in members:
        if member.name.lower().endswith(NEVER_SLEEP):
            continue
        try:
            head = Head(member, member.head(HEAD_BYTES))
            matching = _matching(asked[head.kind], head, broken, asked_for=asked_for)
        except (DataError, ReadError) as error:
            if len(members) == 1 or any(found for one in sorted_ for found in one.named_like([member])):
                raise
            looked.told.append((member.name, str(error)))
            continue
        if not matching:
            looked.foreign.append(member)
        _give(member, matching)


def _matching(
    asked: Iterable[tuple[_Sorted, Sequence[Form]]], head: Head, broken: set[str], *, asked_for: bool
) -> list[tuple[_Sorted, Form]]:
    """Ask everyone; of each the first form that matches. One that fails goes to the `broken` and is asked no more."""
    matching = []
    for one, forms in asked:
        if broken and one.connector.name in broken:
            continue
        try:
            for form in forms:
                if form.matches(head):
                    matching.append((one, form))
                    break
        except (Nof1Error, MemoryError):
            raise
        except Exception as error:
            told = failed(one.connector, f"to say whether {head.member.name} is its own", error)
            if asked_for:
                raise ConnectorFailedError(told) from error
            broken.add(one.connector.name)
            warnings.warn(f"{told} nof1 goes on without it.", ConnectorFailedWarning, stacklevel=2)
    return matching


def _give(member: Member, matching: Sequence[tuple[_Sorted, Form]]) -> None:
    sure = [(one, form) for one, form in matching if not form.weak]
    matching = sure or matching
    if len(matching) > 1:
        told = "; ".join(f"{one.connector.name} because it holds {form.evidence}" for one, form in matching)
        raise DataError(f"{member.name} is claimed twice: {told}. Choose one: --from {matching[0][0].connector.name}.")
    for one, form in matching:
        one.members.append((form, member))
