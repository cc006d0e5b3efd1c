"""The contract of a connector: how the export of one wearable becomes sleep sessions.

A connector imports `nof1.connect`, `nof1.sleep` and `nof1.errors`, and nothing else of nof1. It is found by the entry
point group ``nof1.connectors``, whose entries are instances. It says which forms of file it reads and how they are
recognised; nof1 looks into every member of an export, once, and hands each connector the members that are its own.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

import dataframely as dy

from nof1.connect.heads import Head, Kind
from nof1.connect.reading import Member
from nof1.sleep.session import Sessions

type Found = Mapping[str, tuple[Member, ...]]
"""The members of each form, by the form's name, sorted by their paths inside the export; every form is a key.

Of a download in several parts the members of all parts are here, each named with its part before the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a source can tell: one row of the matrix that ``nof1 connectors`` prints.

    Parameters
    ----------
    title
        The source as people call it, such as ``Apple Health``.
    staging
        How finely it divides sleep, over all its forms: `stages`, `sleep_wake`, `totals`.
    latency
        What its sessions may offer to count latency from: `in_bed`, `vendor`, `stages`; empty where it cannot tell.
    latency_note
        One clause on what that is worth, such as ``the watch guesses when bed began``.
    zone
        Whether records bring their own zone or offset: `record`, `none`, or `some` where it depends on the form.
    naps
        Whether the vendor itself says which sleeps are naps.
    """

    title: str
    staging: tuple[Literal["stages", "sleep_wake", "totals"], ...]
    latency: tuple[Literal["in_bed", "vendor", "stages"], ...]
    latency_note: str
    zone: Literal["record", "some", "none"]
    naps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of file that a connector reads.

    Parameters
    ----------
    name
        Short, and unique within the connector.
    evidence
        What it is recognised by, to follow the words "the file holds".
    kind
        Only members of this kind are shown to `matches`.
    matches
        Says whether a member is of this form, by its first 4,096 bytes.
    seen
        Whether the reader has met real exports of this form. Where not, people are asked for ``--untested-ok``.
    alone
        Whether such a member holds sleep by itself; False where it only helps to read another form.
    named
        What such files are usually called. A file so named that no form matches is told about, and one that is
        damaged refuses the export, because nights would be missing; the name never makes a match.
    weak
        Whether other files may look like this by chance, as bare numbers do. Such a member is claimed only where no
        other connector claims any of the export, or where this one is asked for with ``--from``; else it is told about.
    latency
        What its sessions may offer to count latency from, where that is not all of `About.latency`; None where it is.
    """

    name: str
    evidence: str
    kind: Kind
    matches: Callable[[Head], bool]
    seen: bool = True
    alone: bool = True
    named: re.Pattern[str] | None = None
    weak: bool = False
    latency: tuple[Literal["in_bed", "vendor", "stages"], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the reader is told from outside.

    Parameters
    ----------
    participant
        The code written into every session.
    zone
        The IANA zone that naive local times are in; None only in a dry run, where they stand as if they were UTC.
    zone_source
        `option`, `participant` or `none` (`nof1.sleep.session.ZONE_SOURCES`): who named that zone.
    """

    participant: str = "P01"
    zone: str | None = None
    zone_source: str = "none"


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record that could not become a session: which one, and why."""

    record: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What the members of one connector held. Records read = accepted + merged + rejected, always.

    Parameters
    ----------
    sessions
        The accepted records, one row each.
    read
        How many records the members hold.
    merged
        How many of them say again what an accepted record says.
    rejected
        The records that were refused, each with its reason.
    warnings
        Sentences for the person: unknown labels kept, empty nights, and the like.
    """

    sessions: dy.DataFrame[Sessions]
    read: int
    merged: int = 0
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        accounted = self.sessions.height + self.merged + len(self.rejected)
        if self.read != accounted:
            raise AssertionError(f"a connector lost records: read {self.read}, accounted for {accounted}")


class Connector(Protocol):
    """Reads the exports of one source."""

    name: ClassVar[str]
    """The source's name in the table and after ``--from``: lower case, such as ``fitbit``."""
    version: ClassVar[str]
    """Changes whenever the same export would give different sessions."""
    about: ClassVar[About]
    """What the source can tell."""
    forms: ClassVar[tuple[Form, ...]]
    """The forms it reads. The first that matches a member has it."""

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every sleep record of these members.

        Raises
        ------
        nof1.errors.DataError
            A member is damaged as a whole; one bad record inside a sound file is rejected instead.
        """
