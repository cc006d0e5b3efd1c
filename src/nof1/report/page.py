"""The report page: one HTML text that needs no network, no script and no other file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from nof1.report import (
    alternatives,
    cautions,
    concealment,
    contrasts,
    estimates,
    figures,
    guesses,
    hypnograms,
    missing,
    over_time,
    patient,
    plan,
    ridges,
    sentences,
    side_effects,
)
from nof1.report.canvas import Figure
from nof1.report.checklist import Behind, checklist, missing_words
from nof1.report.plain import capitalised, plain, sentence
from nof1.report.rounding import ROUNDING
from nof1.report.sentences import Json
from nof1.report.templating import only_this, stylesheet, templates
from nof1.report.trial_map import trial_map

if TYPE_CHECKING:
    import xarray as xr

SCHEME: Final = {
    "randomised-pairs": "each pair of periods in an order drawn by a fair coin",
    "alternating": "strictly alternating periods; only the first was drawn",
    "counterbalanced": "four periods at a time, there and back (ABBA or BAAB), each drawn by a fair coin",
    "permuted-blocks": "each block of periods holds every arm once, in an order drawn at random",
    "unrestricted": "any order with as many periods of each arm, all equally likely",
    "fixed": "a schedule made elsewhere",
}


type Reader = Literal["patient", "clinician"]


def render_report(
    result: Json, posterior: "xr.DataTree", *, behind: Behind | None = None, only: Reader | None = None
) -> str:
    """Render the whole page: the patient's sheet, then the record for clinicians.

    Parameters
    ----------
    result
        The content of ``result.json``.
    posterior
        One child an outcome, named by its measure; below it ArviZ's groups. Only ``posterior``, ``prior`` and
        ``constant_data`` are read.
    behind
        What the record knows beside the result; without it there is no checklist.
    only
        For whom, where it is not for both.

    Returns
    -------
    str
        HTML. The same result and posterior give the same bytes.

    Raises
    ------
    DataError
        A verdict contradicts its probabilities.
    """
    style, items = stylesheet("report.css"), checklist(result, behind)
    return (
        templates()
        .get_template("page.html")
        .render(
            result=result,
            only=only,
            sheet=patient.sheet(result) if only != "clinician" else None,
            style=style,
            policy=f"{only_this(style)}; img-src data:",
            outcomes=result["outcomes"],
            groups=_groups(result, posterior),
            **(_lived(result, posterior, behind) if only != "patient" else {"lived": None, "slept": None}),
            **_foreseen(behind if only != "patient" else None),
            checklist=items,
            checklist_missing=missing_words(items),
            measures=len({outcome["measure"] for outcome in result["outcomes"]}),
            cautions=cautions.cautions(result),
            both_better=alternatives.both_better(result),
            doses=cautions.doses(result),
            key=sentences.key(result["arms"]),
            sealing=concealment.sealing(result),
            guesses=guesses.told(result),
            guesses_by_arm=guesses.by_arm(result),
            each_guess=guesses.each(result),
            side_effects=side_effects.lines(result),
            side_effects_by_arm=side_effects.table(result),
            disclaimer=sentences.DISCLAIMER,
            latency_source=sentences.LATENCY_SOURCE.get(
                result["trial"]["latency_source"], result["trial"]["latency_source"]
            ),
            scheme=SCHEME.get(result["protocol"]["scheme"], result["protocol"]["scheme"]),
            rounding=ROUNDING,
            scale=_scale(),
        )
    )


def _lived(result: Json, posterior: "xr.DataTree", behind: Behind | None) -> dict[str, Figure | None]:
    """Draw the trial as lived and slept, by the nights of its first outcome that has any."""
    drawn: dict[str, Figure | None] = {"lived": None, "slept": None}
    for outcome in result["outcomes"]:
        groups = posterior.children.get(outcome["measure"])
        if groups is not None and "constant_data" in groups.children:
            nights = figures.planned_nights(groups["constant_data"].to_dataset())
            drawn["lived"] = trial_map(nights, result["arms"], behind.doses if behind else None)
            drawn["slept"] = hypnograms.figure(nights, result["arms"], behind.hypnograms if behind else {})
            break
    return drawn


def _foreseen(behind: Behind | None) -> dict[str, Any]:
    """Draw what the design was expected to tell, where a plan was kept before the draw."""
    if behind is None or behind.plan is None:
        return {"foreseen": None, "reckoned": ""}
    drawn = plan.plan_figure(behind.plan.of(behind.protocol))
    return {"foreseen": drawn, "reckoned": plan.kept_words(behind.plan, behind.protocol)}


def _scale() -> list[tuple[str, str]]:
    """Lay out the table of words for probabilities, from the most to the least likely."""
    least = [least for least, _, _ in sentences.PROBABILITY_WORDS]
    up = [
        (high, f"{bound} to {above} %")
        for (bound, high, _), above in zip(sentences.PROBABILITY_WORDS, [100, *least], strict=False)
    ]
    down = [
        (low, f"{100 - above} to {100 - bound} %")
        for (bound, _, low), above in zip(sentences.PROBABILITY_WORDS, [100, *least], strict=False)
    ]
    return [*up, (sentences.AS_LIKELY_AS_NOT, f"{100 - least[-1]} to {least[-1]} %"), *reversed(down)]


def _groups(result: Json, posterior: "xr.DataTree") -> list[dict[str, Any]]:
    """Gather what each outcome shows: of one contrast all that is known, of several what is theirs side by side."""
    arms, blinding, outcomes = result["arms"], result["blinding"], result["outcomes"]
    gathered: list[dict[str, Any]] = []
    last = -1
    for alike in contrasts.grouped(outcomes):
        last += len(alike)
        each, shared = contrasts.findings(alike, arms, blinding=blinding)
        told = _outcome(alike[0], result, posterior) if len(alike) == 1 else _several(alike, result, posterior)
        told |= {"each": each, "shared": shared, "best_arm": alternatives.best_arm(outcomes, last)}
        before = [one["title"] for one in gathered if one["of_nights"] == told["of_nights"]]
        gathered.append(told | {"same_nights": before[0] if before else None})
    return gathered


def _several(alike: Sequence[Json], result: Json, posterior: "xr.DataTree") -> dict[str, Any]:
    """Gather what several contrasts of one outcome show, of one fit and over the same nights."""
    arms, blinding, first = result["arms"], result["blinding"], alike[0]
    return {
        "is": first,
        "several": True,
        "title": capitalised(plain(first["label"])),
        "figures": _figures_of_several(alike, result, posterior),
        "numbers": contrasts.numbers(alike, arms),
        "probabilities": contrasts.probabilities(alike, arms),
        "alternatives": contrasts.otherwise(alike, arms, blinding=blinding),
        "onset": contrasts.once(alike, map(alternatives.onset, alike)),
        "over_time": over_time.side_by_side(alike),
        "over_time_contrasts": [contrasts.name(one) for one in alike if over_time.has_pairs(one)],
        "over_time_unit": over_time.table(first)[0],
        "not_over_time": contrasts.once(
            alike, [None if over_time.has_pairs(one) else over_time.caption(one) for one in alike]
        ),
        "of_nights": contrasts.of_nights(alike, arms),
        "tipping": contrasts.tipping(alike, arms),
        "typical": figures.typical(first),
        "change": sentences.worthwhile_words(first),
        "worthwhile_why": sentence(first["worthwhile_why"]) if first["worthwhile_why"] else "",
        "randomisation": contrasts.once(alike, [sentences.randomisation(one, arms) for one in alike]),
        "engines": alternatives.engines(first["diagnostics"], *map(contrasts.name, alike)),
        "checks": estimates.checks(first["diagnostics"]),
    }


def _figures_of_several(alike: Sequence[Json], result: Json, posterior: "xr.DataTree") -> dict[str, Figure]:
    """Draw the nights of all arms, and the contrasts of a fit that may be used beneath each other."""
    arms, groups = result["arms"], posterior.children.get(alike[0]["measure"])
    drawn = _nights(alike[0], arms, groups)
    usable = [one for one in alike if one["verdict"] != "not_usable"]
    if usable and groups is not None:
        drawn["posterior"] = ridges.figure(usable, arms, groups)
    if forest := alternatives.side_by_side(alike, arms):
        drawn["alternatives"] = forest
    return drawn


def _outcome(outcome: Json, result: Json, posterior: "xr.DataTree") -> dict[str, Any]:
    """Gather what the one contrast of an outcome shows: figures and tables."""
    arms, blinding = result["arms"], result["blinding"]
    told = outcome["verdict"] != "not_usable"
    return {
        "is": outcome,
        "name": capitalised(plain(outcome["label"])),
        "title": sentences.title(outcome, arms),
        "several": False,
        "figures": _figures(outcome, result, posterior),
        "numbers": [*estimates.effects(outcome), *estimates.levels(outcome["levels"], outcome["unit"])] if told else [],
        "probabilities": estimates.probabilities(outcome, arms) if told else [],
        "in_words": outcome["verdict"] != "descriptive_only",
        "of_nights": missing.table(outcome),
        "missing": missing.lines(outcome, arms),
        "over_time": over_time.table(outcome),
        "over_time_caption": over_time.caption(outcome),
        "complier": missing.complier(outcome, arms),
        "typical": figures.typical(outcome),
        "change": sentences.worthwhile_words(outcome),
        "worthwhile_why": sentence(outcome["worthwhile_why"]) if outcome["worthwhile_why"] else "",
        "randomisation": sentences.randomisation(outcome, arms),
        "alternatives": alternatives.table(outcome, arms, blinding=blinding),
        "what_would_change": alternatives.what_would_change(outcome, arms, blinding=blinding),
        "onset": alternatives.onset(outcome),
        "engines": alternatives.engines(outcome["diagnostics"], f"{outcome['arm']} − {outcome['reference']}"),
        "checks": estimates.checks(outcome["diagnostics"]),
    }


def _figures(outcome: Json, result: Json, posterior: "xr.DataTree") -> dict[str, Figure]:
    """Draw what there is to draw: estimates only of a fit that may be used."""
    arms = result["arms"]
    groups = posterior.children.get(outcome["measure"])
    drawn = _nights(outcome, arms, groups)
    if outcome["verdict"] != "not_usable" and groups is not None:
        drawn["posterior"] = figures.posterior_figure(outcome, arms, groups)
    if forest := alternatives.figure(outcome, arms, blinding=result["blinding"]):
        drawn["alternatives"] = forest
    return drawn


def _nights(outcome: Json, arms: Sequence[Json], groups: "xr.DataTree | None") -> dict[str, Figure]:
    if groups is None or "constant_data" not in groups.children:
        return {}
    planned = figures.planned_nights(groups["constant_data"].to_dataset())
    return {"nights": figures.nights_figure(outcome, arms, planned)}
