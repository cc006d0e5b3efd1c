"""The JSON Schema of ``result.json``, made from the dataclasses whose values it holds.

What a number means stands once, in the docstring of its dataclass; the schema takes it from there, so that a field
cannot be added without being described. By hand stands only what `nof1.study.analysis` lays around them.
"""

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from nof1.model.complier import ComplierEffect
from nof1.model.diagnose import Diagnostics
from nof1.model.estimate import Estimate, PriorLine
from nof1.model.joint import Joint
from nof1.model.missing import ArmNights, TippingPoint
from nof1.model.missingness import MissingByArm
from nof1.model.over_time import OverTime
from nof1.model.sensitivity import Alternative
from nof1.study.analysis import REPORTED_VERSIONS, RESULT_SCHEMA, THRESHOLDS
from nof1.trial.blinding_integrity import BlindingIntegrity
from nof1.trial.keys import meanings
from nof1.trial.protocol import AnalysisRules
from nof1.trial.side_effects import ArmSideEffects

Json = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
ID: Final = f"urn:nof1:result:{RESULT_SCHEMA}"

PLAIN: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}

INSTEAD: Final = {(Estimate, "sensitivity"): tuple[Alternative, ...], (MissingByArm, "priors"): tuple[PriorLine, ...]}
"""Where the values are others than the dataclass says: it may not import them, or they are written in words."""

NOT_FINITE: Final = (Diagnostics,)
"""Whose numbers may be null: those of a fit that failed need not be finite."""

USUAL: Final = {
    "median": "Of the posterior, in the unit of what it is of.",
    "mean": "Of the posterior, in the unit of what it is of.",
    "sd": "Of the posterior, in the unit of what it is of.",
    "ci50": "Equal-tailed 50 % interval of the posterior, in the same unit.",
    "ci95": "Equal-tailed 95 % interval of the posterior, in the same unit.",
    "arm": "Code of the arm.",
    "reference": "Code of the arm that it is compared with.",
    "unit": "Unit of the numbers beside it.",
    "measure": "Column of the nights.",
    "name": "What it is called.",
    "nights": "How many nights.",
    "why_not": "Why there are no numbers; null where there are.",
    "label": "In words.",
    "role": "primary or secondary.",
    "better": "Which direction is better: higher or lower.",
    "worthwhile": "The smallest change worth having, in the measure's unit; null where none was fixed.",
    "worthwhile_ratio": "The same as a ratio, of a latency.",
    "worthwhile_why": "Where it comes from.",
    "verdict": "The first of the fixed list of verdicts whose thresholds the probabilities reach.",
    "why_not_usable": "Why no claim is made at all.",
    "why_descriptive": "Why numbers stand there without a verdict.",
    "probability": "Shares of the posterior, by which the verdict is chosen.",
    "p_better": "P(the difference is on the better side of 0).",
    "p_better_worthwhile": "P(it is better by more than the worthwhile change); null where none was fixed.",
    "p_worse": "P(the difference is on the worse side of 0).",
    "p_worse_worthwhile": "P(it is worse by more than the worthwhile change); null where none was fixed.",
    "p_no_worthwhile_difference": "P(it is less than the worthwhile change, either way); null where none was fixed.",
    "p_both": "P(both outcomes are better).",
    "sensitivity": "The same nights analysed otherwise: a fixed list.",
    "ci_kind": "Intervals are equal-tailed.",
    "planned": "Nights on a treatment, as planned.",
    "recorded": "Nights that were recorded.",
    "used": "Nights that the effect is estimated from.",
    "excluded": "Nights left out, by reason.",
    "used_by_arm": "Nights used, by arm.",
    "censored_below": "Minutes below which the device tells nothing; null where nothing is censored.",
    "priors": "Every prior, with its unit and where it comes from.",
    "covariates": "What was, or could not be, adjusted for.",
    "distribution": "The prior, in words.",
    "source": "Where it comes from.",
    "usable": "Whether every check was passed.",
    "divergences": "Steps of the sampler that left the posterior.",
    "chains": "Independent chains of the sampler.",
    "level": "Of the confidence set.",
    "why_refused": "Why there is no randomisation test.",
    "log_odds_ratio": "Of a night being missing, arm against reference.",
    "uptake": "Share of the nights on which the treatment was taken as assigned.",
    "taken": "Nights on which the diary says that it was taken.",
    "not_taken": "Nights on which the diary says that it was not.",
    "unknown": "Nights of which the diary says nothing.",
    "sigma": "SD of the effect between pairs of periods.",
    "prior_median": "What was assumed beforehand.",
    "prior_ci95": "What was assumed beforehand: 95 % interval.",
    "right": "Periods guessed right.",
    "wrong": "Periods guessed wrong.",
    "dont_know": "Periods answered with don't know.",
    "not_said": "Of which nothing was said.",
    "bang": "Bang's index; null where nothing was guessed.",
    "none": "Nights without it.",
    "mild": "Nights on which it was mild.",
    "moderate": "Nights on which it was moderate.",
    "severe": "Nights on which it was severe.",
    "complier": "What the treatment does where it is taken.",
    "over_time": "The effect pair by pair of periods.",
}
"""What these keys mean wherever no docstring says more."""


def result_schema() -> Json:
    """Describe ``result.json``, and what ``nof1 analyse --json`` prints, as JSON Schema, draft 2020-12.

    Every object is closed: a key that is not described is a mistake.
    """
    defs: dict[str, Json] = {}
    outcome = _object(Estimate, defs)
    beside = {
        "missing": _closed(
            "Nights that are missing, by arm, and what they could do to the result.",
            by_arm=_by_name(_with(_object(ArmNights, defs), diary_says=_by_name({"type": "integer"}))),
            depends_on_arm=_of(MissingByArm, defs),
            tipping_point=_or_null(_of(TippingPoint, defs)),
        ),
        "complier": _or_null(_of(ComplierEffect, defs)) | {"description": USUAL["complier"]},
        "over_time": _or_null(_of(OverTime, defs)) | {"description": USUAL["over_time"]},
    }
    top = _closed(
        "What nof1 analyse found; numbers in the unit that stands beside them, nights by the date of their evening.",
        schema={"const": RESULT_SCHEMA, "description": "Version of this format."},
        participant=_text("Code of the participant."),
        blinding=_text("Who could know which treatment it was."),
        protocol=_protocol(),
        trial=_trial(),
        arms=_list(
            _closed(
                "An arm of the protocol.", code=_text("Code."), label=_text("In words."), reference={"type": "boolean"}
            )
        )
        | {"description": "The arms, in the order of the protocol."},
        outcomes=_list(_with(outcome, **beside)) | {"description": "One entry a contrast of an outcome."},
        blinding_integrity=_or_null(_guesses(defs)) | {"description": "Guesses; null where nothing was sealed."},
        side_effects=_list(_of(ArmSideEffects, defs)) | {"description": "By arm."},
        joint=_or_null(_of(Joint, defs)) | {"description": "Both outcomes in one model; null without --full."},
        provenance=_provenance(),
    )
    return {"$schema": DRAFT, "$id": ID, "title": "The result of an N-of-1 trial", **top, "$defs": defs}


def _protocol() -> Json:
    count, share = {"type": "integer", "minimum": 0}, {"type": "number", "minimum": 0, "maximum": 1}
    says = meanings(AnalysisRules)
    return _closed(
        "The registered protocol.",
        id=_text("Short name."),
        title=_text("One line."),
        question=_text("What the person wants to know."),
        shows=_text("What its trial can show, and what not."),
        thresholds=_closed(
            "Probabilities that its verdicts need.",
            **{name: share | {"description": says[name]} for name in THRESHOLDS},
        ),
        scheme=_text("How the order was drawn."),
        blocks=count | {"description": "Blocks of the schedule."},
        period_nights=_or_null(count | {"description": "Nights of a period; null where they differ."}),
        transition_nights=count | {"description": "First nights of every period that are not compared."},
        drawn_by_nof1={"type": "boolean", "description": "False: the schedule was brought."},
    )


def _trial() -> Json:
    date = {"type": "string", "format": "date"}
    counted = {name: {"type": "integer"} for name in ("due", "taken", "not_taken", "unknown", "taken_not_due")}
    return _closed(
        "The trial as it was lived.",
        first_night=date | {"description": "Evening of the first night on a treatment."},
        last_night=date | {"description": "Evening of the last."},
        planned_nights={"type": "integer", "description": "Nights on a treatment, as planned."},
        stream=_or_null(_text("Whose nights were analysed: maker and device.")),
        latency_source=_or_null(_text("What lights-out was taken from.")),
        night_boundary_h={
            "type": "number",
            "description": "Hour of the day at which one night ends and the next begins.",
        },
        registered=date | {"description": "When the protocol was registered."},
        registered_before_first_night={"type": "boolean"},
        doses=_by_name(_closed("Doses of an arm, by the diary, in nights.", **counted)),
        sealing=_or_null(_by_name(_or_null({"type": "string"}))),
        deviations=_list(_text("What was done otherwise than registered, a sentence each.")),
    )


def _guesses(defs: dict[str, Json]) -> Json:
    guess = _closed(
        "A guess at the arm of a period.",
        period={"type": "integer"},
        arm=_or_null(_text("What it was.")),
        guess=_or_null(_text("What was guessed; null: don't know.")),
        sure=_or_null({"type": "string"}),
        why=_or_null({"type": "string"}),
    )
    return _with(_object(BlindingIntegrity, defs), asked={"type": "boolean"}, guesses=_list(guess))


def _provenance() -> Json:
    hashed = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    versions = {name: {"type": "string"} for name in (*REPORTED_VERSIONS, "python")}
    return _closed(
        "Enough to get the same numbers again.",
        **versions,
        seed={"type": "integer"},
        protocol_sha256=hashed,
        chain_head=hashed,
        sleep_files=_list(hashed),
    )


def _of(kind: Any, defs: dict[str, Json]) -> Json:
    """Describe a type as it is written to JSON; dataclasses go to `defs`."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in defs:
            defs[kind.__name__] = {}  # first its place, in case that it holds itself
            defs[kind.__name__] = _object(kind, defs)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(inside)}
    if origin in {Union, UnionType}:
        (one,) = (each for each in inside if each is not type(None))
        return _or_null(_of(one, defs))
    if origin is tuple:
        return _list(_of(inside[0], defs)) if inside[-1] is Ellipsis else _row([_of(each, defs) for each in inside])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _by_name(_of(inside[1], defs))
    raise AssertionError(f"a result holds no {kind}")


def _object(table: type, defs: dict[str, Json]) -> Json:
    says, hints = meanings(table), get_type_hints(table)
    about = (table.__doc__ or "").partition("\n")[0]
    fields = {}
    for name in (field.name for field in dataclasses.fields(table)):
        value = _of(INSTEAD.get((table, name), hints[name]), defs)
        if table in NOT_FINITE and value == {"type": "number"}:
            value = _or_null(value)
        fields[name] = value | ({"description": text} if (text := says.get(name) or USUAL.get(name)) else {})
    return _closed(about, **fields)


def _closed(about: str, /, **fields: Json) -> Json:
    return {
        "type": "object",
        "description": about,
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def _with(described: Json, **more: Json) -> Json:
    fields = described["properties"] | more
    return described | {"properties": fields, "required": list(fields)}


def _or_null(described: Json) -> Json:
    return {"anyOf": [described, {"type": "null"}]}


def _by_name(described: Json) -> Json:
    return {"type": "object", "additionalProperties": described}


def _list(described: Json) -> Json:
    return {"type": "array", "items": described}


def _row(described: list[Json]) -> Json:
    """Describe an array of so many places."""
    return {"type": "array", "prefixItems": described, "items": False, "minItems": len(described)}


def _text(about: str) -> Json:
    return {"type": "string", "description": about}
