"""The report page: one HTML text that needs no network, no script and no other file."""

from typing import TYPE_CHECKING, Any, Final, Literal

from nof1.report import (
    alternatives,
    concealment,
    estimates,
    figures,
    guesses,
    hypnograms,
    missing,
    over_time,
    patient,
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

LATENCY_SOURCE: Final = {
    "diary": "from lights-out as written in the diary",
    "in_bed": "from the mark or tap of going to bed, as exported by the device",
    "vendor": "the device maker's own figure",
    "stages": "from the first minute of the recording: the device guessed when bed began, which is biased and may be "
    "moved by the treatment itself; no verdict is given on it",
}
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
            outcomes=[_outcome(place, result, posterior) for place in range(len(result["outcomes"]))],
            **(_lived(result, posterior, behind) if only != "patient" else {"lived": None, "slept": None}),
            checklist=items,
            checklist_missing=missing_words(items),
            measures=len({outcome["measure"] for outcome in result["outcomes"]}),
            cautions=sentences.cautions(result),
            both_better=alternatives.both_better(result),
            doses=sentences.doses(result),
            key=sentences.key(result["arms"]),
            sealing=concealment.sealing(result),
            guesses=guesses.told(result),
            guesses_by_arm=guesses.by_arm(result),
            each_guess=guesses.each(result),
            side_effects=side_effects.lines(result),
            side_effects_by_arm=side_effects.table(result),
            disclaimer=sentences.DISCLAIMER,
            latency_source=LATENCY_SOURCE.get(result["trial"]["latency_source"], result["trial"]["latency_source"]),
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


def _outcome(place: int, result: Json, posterior: "xr.DataTree") -> dict[str, Any]:
    """Gather what one contrast of one outcome shows: sentences, figures, tables."""
    arms, blinding, outcomes = result["arms"], result["blinding"], result["outcomes"]
    outcome = outcomes[place]
    begins = place == 0 or outcomes[place - 1]["measure"] != outcome["measure"]
    told = outcome["verdict"] != "not_usable"
    first, *rest = sentences.finding(outcome, arms, blinding=blinding)
    return {
        "is": outcome,
        "name": capitalised(plain(outcome["label"])),
        "title": sentences.title(outcome, arms),
        "headline": first,
        "sentences": rest,
        "best_arm": alternatives.best_arm(outcomes, place),
        "figures": _figures(outcome, result, posterior, nights=begins),
        "numbers": [*estimates.effects(outcome), *estimates.levels(outcome["levels"], outcome["unit"])] if told else [],
        "probabilities": estimates.probabilities(outcome, arms) if told else [],
        "in_words": outcome["verdict"] != "descriptive_only",
        "nights": missing.table(outcome),
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


def _figures(outcome: Json, result: Json, posterior: "xr.DataTree", *, nights: bool) -> dict[str, Figure]:
    """Draw what there is to draw: the nights once an outcome, estimates only of a fit that may be used."""
    arms = result["arms"]
    groups = posterior.children.get(outcome["measure"])
    drawn = {}
    if nights and groups is not None and "constant_data" in groups.children:
        drawn["nights"] = figures.nights_figure(
            outcome, arms, figures.planned_nights(groups["constant_data"].to_dataset())
        )
    if outcome["verdict"] != "not_usable" and groups is not None:
        drawn["posterior"] = figures.posterior_figure(outcome, arms, groups)
    if forest := alternatives.figure(outcome, arms, blinding=result["blinding"]):
        drawn["alternatives"] = forest
    return drawn
