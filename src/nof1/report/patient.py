"""The patient's page: one sheet of paper with what was found, how sure that is, what was felt, and what next."""

from collections.abc import Sequence
from typing import Any, Final

from nof1.report import cautions, icons, number_line, sentences, side_effects
from nof1.report.plain import capitalised, plain, sentence
from nof1.report.sentences import Json
from nof1.trial.blinding import participant_may_know

MOST_CAUTIONS: Final = 4
MOST_PICTURES: Final = 2
"""What a sheet has room for: further cautions are counted, and of further contrasts the headline is told."""
DENSITIES: Final = ((2850, "roomy"), (3700, "dense"))
"""Letters on the sheet up to which it is set large, and smaller; longer ones are set smallest. For paper only."""
LETTERS_OF_ICONS: Final = 350
LETTERS_OF_A_LINE: Final = 200
"""How many letters have room where icons, or a number line, stand."""
BLINDED_ONLY: Final = (
    "Only a trial in which nobody knows what was taken could tell an effect of the treatment from expectation."
)
NEXT: Final = {
    "no_worthwhile_difference": "As far as {name} goes, neither is worth preferring. Other reasons may count: talk "
    "them over with your clinician.",
    "not_enough_to_tell": "These nights do not settle it, either way.{more} Before another trial nof1 plan reckons how "
    "long it must be.",
    "descriptive_only": "These numbers describe and decide nothing. Talk over with your clinician whether a trial that "
    "could decide is worth its nights.",
    "not_usable": "Nothing follows from this analysis about {name}. The record for clinicians says which check failed.",
}


def sheet(result: Json) -> dict[str, Any]:
    """Gather what the sheet shows.

    Parameters
    ----------
    result
        The content of ``result.json``.

    Returns
    -------
    dict
        ``findings`` (title, headline, sentences, icons, legend, line, caption), ``cautions``, ``sure``, ``fooled``,
        ``side_effects``, ``next`` and ``density``, the class by which the sheet is set.
    """
    outcomes = result["outcomes"]
    findings = [_finding(result, place) for place in range(len(outcomes))]
    shown = {
        "findings": findings,
        "cautions": _capped(cautions.cautions(result)),
        "sure": _how_sure(outcomes),
        "fooled": _fooled(result),
        "side_effects": side_effects.lines(result),
        "next": what_next(result),
    }
    return shown | {"density": _density(result, shown)}


def _finding(result: Json, place: int) -> dict[str, Any]:
    """Tell one contrast: its headline, how sure it is, and for the first ones the pictures."""
    outcome, arms, blinding = result["outcomes"][place], result["arms"], result["blinding"]
    drawn = place < MOST_PICTURES
    with_icons = drawn and icons.told(outcome)
    with_line = drawn and outcome["verdict"] != "not_usable"
    return {
        "title": f"{sentences.title(outcome, arms)}, {outcome['role']} outcome",
        "headline": sentences.headline(outcome, arms, blinding=blinding),
        "sentences": _how_it_is_known(outcome, arms) if drawn else [],
        "icons": icons.figure(outcome, arms) if with_icons else None,
        "legend": icons.legend(outcome, arms) if with_icons else [],
        "line": number_line.figure(outcome, arms) if with_line else None,
        "caption": number_line.caption(outcome) if with_line else "",
    }


def _how_it_is_known(outcome: Json, arms: Sequence[Json]) -> list[str]:
    verdict = outcome["verdict"]
    if verdict == "not_usable":
        return [sentence(outcome["why_not_usable"] or "The fit failed its checks.")]
    if verdict == "descriptive_only":
        return [sentences.why_descriptive(outcome)]
    return [sentences.evidence(outcome, arms), *([sentences.NOT_A_FAILURE] if verdict == "not_enough_to_tell" else [])]


def what_next(result: Json) -> list[str]:
    """Say what follows from the primary outcome, and what does not."""
    outcome = next((one for one in result["outcomes"] if one["role"] == "primary"), result["outcomes"][0])
    verdict = outcome["verdict"]
    if verdict in NEXT:
        more = "".join(f" {said}" for said in sentences.more_needed(outcome))
        return [NEXT[verdict].format(name=plain(outcome["label"]), more=more)]
    words = sentences.contrast(outcome, result["arms"])
    said = [
        f"Show this page to your clinician. Whether {words.name} is reason enough to stay on {words.arm} or to leave "
        "it, beside cost, effort and side effects, is for the two of you to decide."
    ]
    return [*said, *([BLINDED_ONLY] if participant_may_know(result["blinding"]) else [])]


def _how_sure(outcomes: Sequence[Json]) -> list[str]:
    """Count the nights, once where all outcomes use the same."""
    told = {sentences.nights(one): plain(one["label"]) for one in reversed(outcomes)}
    if len(told) == 1:
        return list(told)
    return [f"{capitalised(label)}: {said}" for said, label in reversed(told.items())]


def _fooled(result: Json) -> list[str]:
    """Say in short what could have fooled us; the cautions of this trial stand at the top of the sheet."""
    outcomes = result["outcomes"]
    several = f" {len(outcomes)} comparisons were made, and each is a chance to be fooled." if len(outcomes) > 1 else ""
    return [
        "A wearable guesses the stages of sleep, and a treatment may move the guess without changing sleep.",
        f"What builds up or fades over many days shows only in part.{several}",
        "The result holds for this person, this device and these weeks.",
    ]


def _capped(said: list[str]) -> list[str]:
    more = len(said) - MOST_CAUTIONS
    if more <= 1:
        return said
    return [*said[:MOST_CAUTIONS], f"{more} more such points stand in the record for clinicians."]


def _density(result: Json, shown: dict[str, Any]) -> str:
    """Choose how small the sheet is set, by its letters and its pictures."""
    words = [*(words for key in ("cautions", "sure", "fooled", "side_effects", "next") for words in shown[key])]
    words += [result["protocol"]["title"], result["protocol"]["question"], sentences.key(result["arms"])]
    words += [word for one in shown["findings"] for word in (one["title"], one["headline"], *one["sentences"])]
    letters = sum(map(len, words))
    letters += sum(LETTERS_OF_ICONS for one in shown["findings"] if one["icons"])
    letters += sum(LETTERS_OF_A_LINE for one in shown["findings"] if one["line"])
    return next((name for most, name in DENSITIES if letters <= most), "densest")
