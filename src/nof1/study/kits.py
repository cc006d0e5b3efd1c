"""What the custodian packs: opened with the key, rendered away from the study, and kept on record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nof1.errors import UsageError, WriteError
from nof1.report.kits import Kits, render_kits
from nof1.store.folder import create_private_file
from nof1.store.seal import Key
from nof1.study.sealing import open_seal, require_outside_studies
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.bottles import bottles
from nof1.trial.commitment import Sealed

RESERVE_NIGHTS: Final = 2
MOST_RESERVE_NIGHTS: Final = 30


@dataclass(frozen=True, slots=True)
class RenderedKits:
    """Where the page is, and what may be said of it to anybody. `units` in each bottle; None: not counted."""

    participant: str
    page: Path
    bottles: int
    doses: int
    units: int | None


def write_kits(
    study: Study,
    key: Key,
    *,
    output: Path | None = None,
    reserve_nights: int = RESERVE_NIGHTS,
    participant: str | None = None,
) -> RenderedKits:
    """Render the custodian's page: packing list, blind labels, emergency cards. That it was made stays on record.

    Parameters
    ----------
    output
        A new file outside every study, readable by its owner alone; by default ``kits-P01.html`` in the working
        directory.
    reserve_nights
        Doses in each bottle beyond the nights of its period.

    Raises
    ------
    UsageError
        Nothing is sealed or there is nothing to pack, or the page would lie in a study.
    ProtocolError
        The arms differ in their units: the bottles would tell them apart.
    NotAllowedError, TamperedError
        As `nof1.study.sealing.open_seal`.
    WriteError
        The page exists, or cannot be written.
    """
    if not 0 <= reserve_nights <= MOST_RESERVE_NIGHTS:
        raise UsageError(
            f"{reserve_nights} doses in reserve: give 0 to {MOST_RESERVE_NIGHTS}, the same in each bottle."
        )
    with study.record() as record:
        trial = read_trial(study, record, participant)
        _require_packable(trial)
        code = trial.participant.code
        path = (output or Path(f"kits-{code}.html")).absolute()
        require_outside_studies(path, "kits tell every arm. Name a place of the custodian's own with --output FILE")
        kits = _kits(trial, open_seal(trial, key), reserve_nights)
        page, first = render_kits(kits), kits.bottles[0]
        told = {"bottles": len(kits.bottles), "doses": first.doses, "units": first.units}
        with _new_file(path):
            with record.writing():  # on record before anybody can read it
                study.append(record, "kits-rendered", told, command="kits", participant=code)
            path.write_text(page, encoding="utf-8")
    return RenderedKits(code, path, len(kits.bottles), first.doses, first.units)


def _require_packable(trial: Trial) -> None:
    if trial.seal is None:
        raise UsageError(
            f"This trial is {trial.blinding}: nothing is concealed, so nobody needs to pack in secret. What to take "
            "when is on the calendar: nof1 schedule."
        )
    if all(arm.units_per_dose == 0 for arm in trial.protocol.arms):
        raise UsageError("No arm of this protocol has anything to take: there is nothing to pack.")
    if not trial.schedule.periods:
        raise UsageError("The trial ended before its first period: there is nothing to pack.")


def _kits(trial: Trial, sealed: Sealed, reserve_nights: int) -> Kits:
    protocol = trial.protocol
    return Kits(
        participant=trial.participant.code,
        protocol=protocol.id,
        title=protocol.title,
        receipt=trial.receipt,
        units_per_dose=protocol.arms[0].units_per_dose,
        take=protocol.arms[0].take,
        reserve_nights=reserve_nights,
        emergency=protocol.safety.emergency,
        stop_if=protocol.safety.stop_if,
        bottles=bottles(protocol, trial.schedule, sealed.allocation.sequence, reserve_nights=reserve_nights),
    )


@contextmanager
def _new_file(path: Path) -> Iterator[None]:
    """Make a private file to be written, and take it away again where that fails; never over one that is there."""
    if path.exists():
        raise WriteError(f"{path} is there already. Name another file with --output, or delete it first.")
    create_private_file(path)
    try:
        yield
    except OSError as error:
        path.unlink(missing_ok=True)
        raise WriteError(f"{path} cannot be written: {error.strerror}. Name another place with --output.") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
