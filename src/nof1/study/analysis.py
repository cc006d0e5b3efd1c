"""The answer: from the nights and the schedule of a trial that has ended to ``result.json`` and ``posterior.nc``."""

import hashlib
import json
import math
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from nof1.errors import NotAllowedError
from nof1.model.design import AnalysisDesign, build_design
from nof1.model.estimate import estimate
from nof1.sleep.streams import grain_min
from nof1.store.folder import make_private_folder, write_private_file
from nof1.store.state import admitted_files
from nof1.study.diaries import read_diary
from nof1.study.nights import latency_source, read_nights, read_sessions
from nof1.study.study import Study
from nof1.study.trials import OPEN_LABEL, Trial, own_prior_sd, read_trial
from nof1.study.verification import require_intact
from nof1.trial.adherence import AS_ASSIGNED, MISSED, NOT_DUE, UNKNOWN, adherence

if TYPE_CHECKING:
    import xarray as xr

RESULT_SCHEMA: Final = 1
"""Changes when a key of ``result.json`` is renamed or changes its meaning; added keys do not change it."""

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
        Whether the primary outcome has an estimate.
    """

    result: dict[str, Any]
    posterior: "xr.DataTree"
    folder: Path
    usable: bool


def analyse(study: Study, *, participant: str | None = None, progress: Callable[[str], None] | None = None) -> Analysis:
    """Estimate what the treatment does to every outcome, and write result and posterior to the study's reports.

    The same study gives the same draws: the seed comes from the protocol's hash and the participant's code.

    Parameters
    ----------
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
    require_intact(study)
    with study.record() as record:
        trial = read_trial(study, record, participant)
        _check_ended(trial, study)
        diary = read_diary(record, trial.participant)
        files = admitted_files(record, trial.participant.code)
        head = record.events()[-1].hash
    nights = read_nights(study, participant=trial.participant.code)
    grain = grain_min(read_sessions(study, participant=trial.participant.code))
    designs = _designs(trial, nights, grain)
    seed = _seed(trial)
    outcomes, posterior = _estimate_all(trial, designs, seed, progress)
    provenance = {
        "seed": seed,
        "protocol_sha256": trial.protocol.sha256,
        "chain_head": head,
        "sleep_files": [file.sha256 for file in files],
    }
    result = _result(trial, outcomes, _doses(trial, diary), provenance)
    folder = study.folder.reports(trial.participant.code)
    written = _write(folder, result, posterior)
    with study.record() as record, record.writing():
        study.append(record, "analysed", written, command="analyse", participant=trial.participant.code)
    return Analysis(result, posterior, folder, usable=outcomes[0]["verdict"] != "not_usable")


def _check_ended(trial: Trial, study: Study) -> None:
    if not trial.has_ended(study.clock()):
        raise NotAllowedError(
            f"The trial runs until the night of {trial.schedule.last_night}, and looking early changes what a result "
            "means. Until then: nof1 status shows nights and doses, never effects."
        )


def _designs(trial: Trial, nights: pl.DataFrame, grain: float) -> list[AnalysisDesign]:
    """One design an outcome, the primary one first."""
    outcomes = sorted(trial.protocol.outcomes, key=lambda outcome: outcome.role != "primary")
    return [
        build_design(
            nights,
            trial.calendar(),
            outcome,
            arm=trial.protocol.treatment.code,
            reference=trial.protocol.reference.code,
            exclude_flags=trial.protocol.sleep.exclude_flags,
            grain_min=grain,
            open_label=trial.blinding == OPEN_LABEL,
            prior_effect_sd=own_prior_sd(trial.protocol, outcome),
        )
        for outcome in outcomes
    ]


def _seed(trial: Trial) -> int:
    told = f"{trial.protocol.sha256}/{trial.participant.code}"
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:4])


def _estimate_all(
    trial: Trial, designs: list[AnalysisDesign], seed: int, progress: Callable[[str], None] | None
) -> tuple[list[dict[str, Any]], "xr.DataTree"]:
    import xarray as xr

    from nof1.model.diagnose import diagnose
    from nof1.model.nuts import fit

    analysable = [design for design in designs if design.why_not_usable is None]
    fitted = fit(analysable, seed=seed, progress=progress) if analysable else {}
    outcomes = []
    for design in designs:
        tree = fitted.get(design.measure.name)
        checks = diagnose(tree) if tree is not None else None
        outcomes.append(estimate(design, tree, checks, trial.protocol.analysis).to_payload())
    return outcomes, xr.DataTree(children=fitted)


def _result(
    trial: Trial, outcomes: list[dict[str, Any]], doses: dict[str, dict[str, int]], provenance: dict[str, Any]
) -> dict[str, Any]:
    protocol, schedule, design = trial.protocol, trial.schedule, trial.protocol.design
    stream = trial.stream
    lengths = {period.nights for period in schedule.periods}
    return {
        "schema": RESULT_SCHEMA,
        "participant": trial.participant.code,
        "blinding": trial.blinding,
        "protocol": {
            "id": protocol.id,
            "title": protocol.title,
            "question": protocol.question,
            "scheme": design.scheme,
            "blocks": schedule.periods[-1].block,
            "period_nights": lengths.pop() if len(lengths) == 1 else None,
            "transition_nights": schedule.transition_nights,
            "drawn_by_nof1": trial.allocation is not None,
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
            "deviations": _deviations(trial),
        },
        "arms": [
            {"code": arm.code, "label": arm.label, "reference": protocol.has_reference and arm == protocol.reference}
            for arm in protocol.arms
        ],
        "outcomes": outcomes,
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


def _deviations(trial: Trial) -> list[str]:
    """What the analysis does otherwise than the registered protocol says."""
    said = []
    if trial.protocol.conceals:
        said.append("The protocol conceals the arms; the trial ran open label.")
    if covariates := trial.protocol.analysis.covariates:
        said.append(f"This version does not adjust for the protocol's covariates: {', '.join(covariates)}.")
    return said


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
