"""The contract of a connector: how the export of one wearable becomes sleep sessions.

A connector imports `nof1.connect`, `nof1.sleep` and `nof1.errors`, and nothing else of nof1. It is found by the entry
point group ``nof1.connectors``, whose entries are instances.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import dataframely as dy

from nof1.connect.reading import Export
from nof1.sleep.session import Sessions


@dataclass(frozen=True, slots=True)
class Recognition:
    """A connector's claim to an export, with its evidence."""

    connector: str
    because: str


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
    """What one export held. Records read = accepted + merged + rejected, always.

    Parameters
    ----------
    sessions
        The accepted records, one row each.
    read
        How many records the export holds.
    merged
        How many of them say again what an accepted record says.
    rejected
        The records that were refused, each with its reason.
    members_read, members_skipped
        Names of the files inside the export that were read, and of those that look like sleep but were not (name, why).
    warnings
        Sentences for the person: unknown labels kept, empty nights, and the like.
    """

    sessions: dy.DataFrame[Sessions]
    read: int
    merged: int = 0
    rejected: tuple[Rejected, ...] = ()
    members_read: tuple[str, ...] = ()
    members_skipped: tuple[tuple[str, str], ...] = ()
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

    def recognise(self, export: Export) -> Recognition | None:
        """Say whether this export is the connector's own, by its content and never by its name alone."""

    def read(self, export: Export, options: ReadOptions) -> Imported:
        """Read every sleep record of the export.

        Raises
        ------
        nof1.errors.DataError
            The file is damaged as a whole; one bad record inside a sound file is rejected instead.
        """
