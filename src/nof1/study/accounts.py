"""What stands beside the effects in ``result.json``: guesses, side effects, missing nights, doses, pairs of periods."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from nof1.model.complier import Taken, complier_effect
from nof1.model.design import AnalysisDesign
from nof1.model.missing import Judge, nights_by_arm, tipping_point
from nof1.model.missingness import missing_by_arm
from nof1.model.over_time import over_time
from nof1.model.posterior import of_contrast
from nof1.model.scale import WorthwhileScale
from nof1.model.verdict import decide, probabilities
from nof1.store.events import Record
from nof1.study.diaries import read_diary, read_side_effects
from nof1.study.estimation import Material, answers_of, designs_of
from nof1.study.guesses import read_guesses
from nof1.study.trials import Trial
from nof1.trial.adherence import AS_ASSIGNED, MISSED, NOT_DUE, UNKNOWN, adherence
from nof1.trial.blinding_integrity import blinding_integrity
from nof1.trial.diary import OWN_COLUMNS
from nof1.trial.protocol import AnalysisRules, Contrast
from nof1.trial.side_effects import side_effects_by_arm

if TYPE_CHECKING:
    import xarray as xr
    from _typeshed import DataclassInstance


def trial_accounts(record: Record, trial: Trial) -> dict[str, Any]:
    """Tell what was guessed and felt, by arm, of a trial that was opened.

    Returns
    -------
    dict
        ``blinding_integrity``: the guesses as they were given, and `nof1.trial.blinding_integrity.BlindingIntegrity`;
        None where nothing was sealed. ``side_effects``: a list of `nof1.trial.side_effects.ArmSideEffects`.
    """
    codes = [arm.code for arm in trial.protocol.arms]
    diary, felt = read_diary(record, trial.participant), read_side_effects(record, trial.participant)
    return {
        "blinding_integrity": None if trial.seal is None else _guessed(record, trial, codes),
        "side_effects": [_as_json(one) for one in side_effects_by_arm(trial.calendar(), diary, felt, codes)],
    }


def _guessed(record: Record, trial: Trial, codes: Sequence[str]) -> dict[str, Any]:
    guesses = read_guesses(record, trial.participant)
    periods = {period.number: period for period in trial.schedule.periods}
    told = [
        {"period": number, "arm": period.arm, "guess": guess.arm, "sure": guess.sure, "why": guess.why}
        for number, period in periods.items()
        if (guess := guesses.get(number))
    ]
    found = blinding_integrity(guesses, trial.schedule.periods, trial.protocol.design.scheme, codes)
    return {"asked": trial.protocol.blinding.guess != "never", "guesses": told, **_as_json(found)}


def outcome_accounts(
    material: Material, outcomes: Sequence[dict[str, Any]], posterior: "xr.DataTree"
) -> list[dict[str, Any]]:
    """Tell, for each entry of the result's outcomes, which of its nights are missing and what the treatment taken does.

    Returns
    -------
    list of dict
        ``missing``: by arm `nof1.model.missing.ArmNights` with what the diary says of the nights not recorded, a
        `nof1.model.missingness.MissingByArm`, and a `nof1.model.missing.TippingPoint`. ``complier``:
        `nof1.model.complier.ComplierEffect`. ``over_time``: `nof1.model.over_time.OverTime`. The last three are None
        where the outcome has no estimate.
    """
    designs = {design.measure.name: design for design in designs_of(material)}
    return [_account(material, designs[outcome["measure"]], outcome, posterior) for outcome in outcomes]


def _account(
    material: Material, design: AnalysisDesign, outcome: dict[str, Any], posterior: "xr.DataTree"
) -> dict[str, Any]:
    contrast = Contrast(arm=outcome["arm"], reference=outcome["reference"])
    by_arm = nights_by_arm(design, contrast)
    said = {code: _said_of_unrecorded(material.diary, design.nights.filter(arm=code)) for code in by_arm}
    missing: dict[str, Any] = {
        "by_arm": {code: _as_json(nights) | {"diary_says": said[code]} for code, nights in by_arm.items()},
        "depends_on_arm": missing_by_arm(design, contrast, answers_of(material), seed=material.seed).to_payload(),
        "tipping_point": None,
    }
    if outcome["effect"] is None or design.measure.name not in posterior.children:
        return {"missing": missing, "complier": None, "over_time": None}
    draws = of_contrast(posterior[design.measure.name]["posterior"].to_dataset(), contrast.name)
    delta = np.asarray(draws["delta"]).ravel()
    on_arm, on_reference = by_arm[contrast.arm].missing, by_arm[contrast.reference].missing
    gain = delta if design.outcome.better == "higher" else -delta
    unit = "ratio" if design.measure.family == "lognormal" else design.measure.unit
    judge = _judge(design, outcome, material.trial.protocol.analysis, contrast)
    missing["tipping_point"] = _as_json(tipping_point(gain, on_arm, on_reference, judge, unit=unit))
    blocks = {period.number: period.block for period in material.trial.schedule.periods}
    return {
        "missing": missing,
        "complier": _complier(material, design, contrast, delta),
        "over_time": _as_json(over_time(design.between(contrast), blocks)),
    }


def _judge(design: AnalysisDesign, outcome: dict[str, Any], rules: AnalysisRules, contrast: Contrast) -> Judge:
    """Judge draws of the effect, turned so that positive is better; of a latency those of its logarithm.

    Minutes of a latency that are worth having are put on its logarithm at the level of the reference.
    """
    bar, latency = design.worthwhile.minutes, design.measure.family == "lognormal"
    if latency and design.worthwhile.ratio is not None:
        bar = abs(math.log(design.worthwhile.ratio))
    elif latency and bar is not None:
        level = outcome["levels"][outcome["reference"]]["median"]
        bar = -math.log(1 - bar / level) if bar < level else None
    scale = WorthwhileScale(bar, None, "")
    return lambda gain: decide(probabilities(gain, None, better="higher", worthwhile=scale), rules, contrast)


def _said_of_unrecorded(diary: pl.DataFrame, nights: pl.DataFrame) -> dict[str, int]:
    """On how many nights that were not recorded the diary answers yes, by question."""
    asked = [name for name, kind in diary.schema.items() if kind == pl.Boolean and name not in OWN_COLUMNS]
    unrecorded = nights.filter(~pl.col("recorded")).join(diary, on="night")
    yes = {name: int(unrecorded[name].sum()) for name in asked}
    return {name: n for name, n in yes.items() if n}


def _complier(material: Material, design: AnalysisDesign, contrast: Contrast, delta: Any) -> dict[str, Any]:
    protocol = material.trial.protocol
    arm, reference = protocol.arm(contrast.arm), protocol.arm(contrast.reference)
    why = None
    if not reference.reference:
        why = "Both arms are treatments: who skips the dose of one has not taken the other."
    elif arm.units_per_dose == 0:
        why = f"On {arm.code} there is no dose of which the diary could say that it was taken."
    if why is not None:
        return {"effect": None, "uptake": None, "arm": None, "reference": None, "why_not": why}
    without_dose = [one.code for one in protocol.arms if one.units_per_dose == 0]
    said = adherence(material.trial.calendar(), material.diary, without_dose=without_dose)
    used = said.filter(pl.col("night").is_in(design.nights.filter("used")["night"].implode()))
    status = {one.code: used.filter(arm=one.code)["status"].to_list() for one in (arm, reference)}
    on_arm, on_reference = status[arm.code], status[reference.code]
    taken = Taken(on_arm.count(AS_ASSIGNED), on_arm.count(MISSED), on_arm.count(UNKNOWN))
    not_due = on_reference.count(NOT_DUE)
    instead = Taken(not_due, len(on_reference) - not_due, 0) if reference.units_per_dose == 0 else None
    log = design.measure.family == "lognormal"
    return _as_json(complier_effect(delta, taken, instead, seed=material.seed, log=log))


def _as_json(told: "DataclassInstance") -> dict[str, Any]:
    """Return a dataclass as plain values, lists for tuples."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(told)))
    return plain
