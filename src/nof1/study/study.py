"""A study: the handle that every use case takes, and how to make and find one."""

import getpass
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from nof1.errors import UsageError
from nof1.store.events import Event, Record
from nof1.store.folder import StudyFolder, create_study_folder, find_study, sync_folder
from nof1.trial.keys import require_plain


def _now() -> datetime:
    return datetime.now(UTC)


def _actor() -> str:
    try:
        return getpass.getuser()
    except OSError:  # a container without a user name
        return "unknown"


MACHINE_ZONES: Final = {"localtime", "posixrules", "Factory"}
"""Names that mean whatever the machine is set to."""


@dataclass(frozen=True, slots=True)
class Participant:
    """Who sleeps: a code (never a name) and the home zone."""

    code: str
    zone: str


@dataclass(frozen=True, slots=True)
class Study:
    """An open study folder.

    Parameters
    ----------
    folder
        Where it lies.
    clock
        Gives the present instant, aware. Everything that happens "now" asks this clock.
    actor
        Who is acting, for the record.
    """

    folder: StudyFolder
    clock: Callable[[], datetime] = _now
    actor: str = field(default_factory=_actor)

    def record(self) -> Record:
        """Open the record, its chain checked; use it in a ``with`` statement.

        Raises
        ------
        TamperedError
            The record is not what was recorded.
        """
        record = Record.open(self.folder.record)
        try:
            record.require_whole()
        except BaseException:
            record.close()
            raise
        return record

    def append(
        self,
        record: Record,
        kind: str,
        payload: dict[str, Any],
        *,
        command: str,
        participant: str | None = None,
        reason: str | None = None,
    ) -> Event:
        """Add an event with this study's clock and actor, inside `Record.writing`.

        Raises
        ------
        UsageError
            The reason holds a control character: every report repeats it.
        """
        require_plain(reason or "", "reason")
        return record.append(
            kind,
            payload,
            at=self.clock(),
            actor=self.actor,
            command=command,
            participant=participant,
            reason=reason,
        )

    def participant(self, record: Record, code: str | None = None) -> Participant:
        """The one participant, or the one with this code.

        Raises
        ------
        UsageError
            Nobody has that code, or there are several and none was named.
        """
        zones = record.participants()
        if code is None and len(zones) == 1:
            code = next(iter(zones))
        if code is None:
            raise UsageError(
                f"This study has {len(zones)} participants: name one with --participant ({_listed(zones)})."
            )
        if code not in zones:
            raise UsageError(f"Participant {code} is not in this study. It has: {_listed(zones)}.")
        return Participant(code, zones[code])


def create_study(
    folder: Path | str, *, zone: str, participant: str = "P01", clock: Callable[[], datetime] = _now
) -> Study:
    """Make a study with its first participant.

    Parameters
    ----------
    folder
        Where; made if it is not there.
    zone
        The participant's home zone, an IANA name such as ``Europe/Berlin``.
    participant
        A code, never a name: letters and digits.

    Raises
    ------
    UsageError
        The folder is a study already, or the zone or the code cannot be used.
    WriteError
        The folder cannot be written.
    """
    check_zone(zone)
    check_code(participant)
    study = Study(create_study_folder(Path(folder)), clock)
    unfinished = study.folder.record.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with Record.create(unfinished) as record, record.writing():
        study.append(record, "study-created", {"format": 1}, command="init")
        study.append(record, "participant-added", {"zone": zone}, command="init", participant=participant)
    unfinished.replace(study.folder.record)
    sync_folder(study.folder.path)
    return study


def open_study(path: Path | str | None = None, *, clock: Callable[[], datetime] = _now) -> Study:
    """Open the study that `path` (by default the working directory) lies in.

    Raises
    ------
    InputMissingError
        There is none there or above.
    """
    return Study(find_study(Path(path) if path is not None else Path.cwd()), clock)


@cache
def _zones() -> frozenset[str]:
    """The zones that this machine knows: asking walks through its folders, and every study asks."""
    return frozenset(available_timezones() - MACHINE_ZONES)


def check_zone(zone: str) -> ZoneInfo:
    """The zone of that name.

    Raises
    ------
    UsageError
        There is none; the message names the nearest.
    """
    known = _zones()
    if zone not in known:
        near = get_close_matches(zone, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else "Use an IANA name such as Europe/Berlin."
        raise UsageError(f"Zone {zone!r} is unknown. {hint}")
    return ZoneInfo(zone)


def check_code(code: str) -> str:
    """A participant's code, as it may stand in folder names.

    Raises
    ------
    UsageError
        It is empty, long, or has other characters than letters and digits.
    """
    if not re.fullmatch(r"[A-Za-z0-9]{1,16}", code):
        raise UsageError(f"Participant code {code!r} cannot be used: take up to 16 letters and digits, such as P01.")
    return code


def _listed(zones: dict[str, str]) -> str:
    return ", ".join(zones)
