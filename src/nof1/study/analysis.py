"""The answer: from the nights and the schedule of a trial that has ended to ``result.json`` and ``posterior.nc``."""

import hashlib
import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from nof1.errors import NotAllowedError
from nof1.sleep.streams import grain_min
from nof1.store.folder import make_private_folder, write_private_file
from nof1.store.state import admitted_files
from nof1.study.accounts import outcome_accounts, trial_accounts
from nof1.study.deviations import conduct_deviations, nights_of_other_streams
from nof1.study.diaries import read_diary, read_side_effects, rules_account
from nof1.study.estimation import Material, designs_of, estimate_all
from nof1.study.nights import latency_source, read_nights, read_sessions
from nof1.study.safety_gate import gate_account
from nof1.study.sealing import sealing_account, sealing_deviations
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.study.verification import require_intact
from nof1.trial.adherence import AS_ASSIGNED, MISSED, NOT_DUE, UNKNOWN, adherence

if TYPE_CHECKING:
    import xarray as xr

    from nof1.model.estimate import Estimate
    from nof1.model.sensitivity import Alternative

RESULT_SCHEMA: Final = 1
"""Changes when a key of ``result.json`` is renamed or changes its meaning; added keys do not change it."""

THRESHOLDS: Final = ("benefit", "worthwhile", "meaningful", "no_worthwhile_difference")
"""Of the protocol's rules of analysis: the probabilities that its verdicts need."""

REPORTED_VERSIONS: Final = ("nof1", "pymc", "nutpie", "arviz-stats", "numpy", "polars")


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis, as written.

    Parameters
    ----------
    result
        The content of ``result.json``.
    posterior
        One child an outcome that was fitted, named by its measure; below it ArviZ's groups.
    usable
        Whether the primary outcome has an estimate, of one contrast at least.
    """

    result: dict[str, Any]
    posterior: "xr.DataTree"
    folder: Path
    usable: bool


def analyse(
    study: Study,
    *,
    participant: str | None = None,
    full: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Analysis:
    """Estimate what the treatment does to every outcome, and write result and posterior to the study's reports.

    The same study gives the same draws: the seed comes from the protocol's hash and the participant's code.

    Parameters
    ----------
    full
        Try the slow alternatives too, and fit deep sleep and latency together: minutes, where the rest takes seconds.
    progress
        Told in a few words what begins.

    Raises
    ------
    InputMissingError
        No trial has begun, or no sleep was imported.
    NotAllowedError
        The last night is not over.
    TamperedError
        The record, the protocol or a sleep file is not what was recorded.
    DataError
        The nights cannot be analysed.
    """
    material = analysable(study, participant)
    trial = material.trial
    with study.record() as record:
        files = admitted_files(record, trial.participant.code)
        events = record.events()
        safety = gate_account(record, trial.participant)
        safety += rules_account(trial, read_side_effects(record, trial.participant))
        deviations = safety + conduct_deviations(trial, events) + sealing_deviations(study, record, trial)
        deviations += nights_of_other_streams(study, record, trial, material.nights)
        sealing = sealing_account(record, trial)
        accounts = trial_accounts(record, trial)
    estimates, posterior, joint = estimate_all(material, progress, full=full)
    outcomes = [estimate.to_payload() for estimate in estimates]
    beside = outcome_accounts(material, outcomes, posterior)
    outcomes = [outcome | account for outcome, account in zip(outcomes, beside, strict=True)]
    deviations += _not_adjusted(estimates, {item.key: item.label or item.key for item in trial.protocol.diary})
    provenance = {
        "seed": material.seed,
        "protocol_sha256": trial.protocol.sha256,
        "chain_head": events[-1].hash,
        "sleep_files": [file.sha256 for file in files],
    }
    doses = _doses(trial, material.diary)
    accounts["joint"] = joint.to_payload() if joint else None
    result = _result(trial, outcomes, doses, deviations, provenance, sealing=sealing, accounts=accounts)
    folder = study.folder.reports(trial.participant.code)
    written = _write(folder, result, posterior)
    with study.record() as record, record.writing():
        study.append(record, "analysed", written, command="analyse", participant=trial.participant.code)
    verdicts = {outcome["verdict"] for outcome in outcomes if outcome["role"] == "primary"}
    return Analysis(result, posterior, folder, usable=verdicts != {"not_usable"})


@dataclass(frozen=True, slots=True)
class QuickLook:
    """One contrast of one outcome, by exact integration alone; None where only sampling knows the model.

    Parameters
    ----------
    outcome
        Its measure.
    role
        ``primary`` or ``secondary``.
    """

    outcome: str
    role: str
    label: str
    unit: str
    arm: str
    reference: str
    told: "Alternative | None"


def quick_look(study: Study, *, participant: str | None = None) -> list[QuickLook]:
    """Say in a moment what the registered analysis will say of the Gaussian outcomes. Nothing is written.

    Raises
    ------
    InputMissingError, NotAllowedError, TamperedError, DataError
        As `analyse`.
    """
    from nof1.model.agreement import is_exact
    from nof1.model.sensitivity import exactly

    material = analysable(study, participant)
    rules = material.trial.protocol.analysis
    return [
        QuickLook(
            outcome=design.measure.name,
            role=design.outcome.role,
            label=design.measure.label,
            unit=design.measure.unit,
            arm=contrast.arm,
            reference=contrast.reference,
            told=exactly(design, contrast, rules) if is_exact(design) else None,
        )
        for design in designs_of(material)
        for contrast in design.contrasts
    ]


def analysable(study: Study, participant: str | None) -> Material:
    """Gather what is analysed, of a trial that has ended and was opened."""
    require_intact(study)
    with study.record() as record:
        trial = read_trial(study, record, participant)
        _check_ended(trial, study)
        _check_unsealed(trial)
        diary = read_diary(record, trial.participant)
        sealing = sealing_account(record, trial)
    return Material(
        trial=trial,
        nights=read_nights(study, participant=trial.participant.code),
        diary=diary,
        grain_min=grain_min(read_sessions(study, participant=trial.participant.code)),
        why_no_test=_why_no_test(trial, sealing),
    )


def _check_ended(trial: Trial, study: Study) -> None:
    if trial.conduct.withdrawn:
        raise NotAllowedError(
            f"{trial.participant.code} withdrew: nothing of this trial is analysed. It stays on record."
        )
    if not trial.has_ended(study.clock()):
        raise NotAllowedError(
            f"The trial runs until the night of {trial.schedule.last_night}, and looking early changes what a result "
            "means. Until then: nof1 status shows nights and doses, never effects."
        )


def _check_unsealed(trial: Trial) -> None:
    if trial.is_sealed:
        raise NotAllowedError(
            "The allocation is sealed. First fix what will be analysed, with nof1 lock; then the custodian opens it "
            "with nof1 unblind."
        )


def _why_no_test(trial: Trial, sealing: dict[str, str | None] | None) -> str | None:
    """Why the draw is not all that chance had to do with this trial: an end, or a look, that no protocol foresaw."""
    if trial.cut_short is not None:
        return (
            "The trial was stopped early. What stopped it may have depended on the nights, and nobody knows when it "
            "would have been stopped under another order of the arms."
        )
    if sealing is None or sealing["looked"] == "no" or trial.protocol.analysis.looks:
        return None
    if sealing["looked"] == "yes":
        return "Somebody compared nights by period before the analysis was locked, and the protocol foresees no look."
    return "It was not said at the lock that nobody had compared nights by period before."


def _result(
    trial: Trial,
    outcomes: list[dict[str, Any]],
    doses: dict[str, dict[str, int]],
    deviations: list[str],
    provenance: dict[str, Any],
    *,
    sealing: dict[str, str | None] | None,
    accounts: dict[str, Any],
) -> dict[str, Any]:
    protocol, schedule, design = trial.protocol, trial.schedule, trial.protocol.design
    stream = trial.stream
    lengths = {sum(part.nights for part in schedule.periods if part.number == one.number) for one in schedule.periods}
    return {
        "schema": RESULT_SCHEMA,
        "participant": trial.participant.code,
        "blinding": trial.blinding,
        "protocol": {
            "id": protocol.id,
            "title": protocol.title,
            "question": protocol.question,
            "shows": protocol.shows,
            "thresholds": {name: getattr(protocol.analysis, name) for name in THRESHOLDS},
            "scheme": design.scheme,
            "blocks": max((period.block for period in schedule.periods), default=0),
            "period_nights": lengths.pop() if len(lengths) == 1 else None,
            "transition_nights": schedule.transition_nights,
            "drawn_by_nof1": trial.drawn,
        },
        "trial": {
            "first_night": schedule.first_night.isoformat(),
            "last_night": schedule.last_night.isoformat(),
            "planned_nights": schedule.planned_nights,
            "stream": stream.stream if stream else None,
            "latency_source": latency_source(stream, protocol.sleep) if stream else None,
            "night_boundary_h": protocol.sleep.night_boundary_h,
            "registered": trial.started_at[:10],
            "registered_before_first_night": trial.registered_before_first_night,
            "doses": doses,
            "sealing": sealing,
            "deviations": deviations,
        },
        "arms": [{"code": arm.code, "label": arm.label, "reference": arm.reference} for arm in protocol.arms],
        "outcomes": outcomes,
        **accounts,
        "provenance": {
            **{name: version(name) for name in REPORTED_VERSIONS},
            "python": platform.python_version(),
            **provenance,
        },
    }


def _doses(trial: Trial, diary: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Nights of each arm: doses due, and by the diary taken, not taken, unknown, and taken though none was due."""
    without_dose = [arm.code for arm in trial.protocol.arms if arm.units_per_dose == 0]
    said = adherence(trial.calendar(), diary, without_dose=without_dose)
    counted = {arm.code: said.filter(pl.col("arm") == arm.code)["status"].to_list() for arm in trial.protocol.arms}
    return {
        code: {
            "due": sum(status in {AS_ASSIGNED, MISSED, UNKNOWN} for status in statuses),
            "taken": statuses.count(AS_ASSIGNED),
            "not_taken": statuses.count(MISSED),
            "unknown": statuses.count(UNKNOWN),
            "taken_not_due": statuses.count(NOT_DUE),
        }
        for code, statuses in counted.items()
    }


def _not_adjusted(estimates: Sequence["Estimate"], labels: Mapping[str, str]) -> list[str]:
    """Name the protocol's covariates that the nights did not allow to adjust for, in the words of their question."""
    every = [one for estimate in estimates for one in estimate.model.covariates]
    told = [f"“{labels.get(one.key, one.key)}” is not adjusted for: {one.why_not}." for one in every if one.why_not]
    told += [f"“{labels.get(one.key, one.key)}” is adjusted for, but {one.caution}." for one in every if one.caution]
    return list(dict.fromkeys(told))


def _write(folder: Path, result: dict[str, Any], posterior: "xr.DataTree") -> dict[str, Any]:
    """Write both files, and give their hashes for the record."""
    text = json.dumps(finite(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    content = {"result.json": text.encode(), "posterior.nc": _netcdf(folder, posterior)}
    for name, data in content.items():
        write_private_file(folder / name, data)
    return {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}


def _netcdf(folder: Path, posterior: "xr.DataTree") -> bytes:
    make_private_folder(folder)
    with TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "posterior.nc"
        posterior.to_netcdf(path, engine="h5netcdf")
        return path.read_bytes()


def finite(value: Any) -> Any:
    """The same JSON value with null where a number is not finite: a failed fit may have such diagnostics."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
