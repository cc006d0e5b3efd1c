"""The patient's page: one sheet of paper with what was found, how sure that is, what was felt, and what next."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from nof1.report import cautions, contrasts, icons, number_line, sentences, side_effects
from nof1.report.plain import capitalised, plain, sentence
from nof1.report.sentences import Json
from nof1.trial.blinding import participant_may_know

MOST_CAUTIONS: Final = 4
MOST_PICTURES: Final = 2
MOST_SIDE_BY_SIDE: Final = 3
"""What a sheet has room for: further cautions are counted, and of further contrasts the headline is told."""
DENSITIES: Final = ((2850, "roomy"), (3700, "dense"))
"""Letters on the sheet up to which it is set large, and smaller; longer ones are set smallest. For paper only."""
LETTERS_OF_ICONS: Final = 350
LETTERS_OF_A_LINE: Final = 200
"""How many letters have room where icons, or a number line, stand."""
BLINDED_ONLY: Final = (
    "Only a trial in which nobody knows what was taken could tell an effect of the treatment from expectation."
)
NO_REFERENCE: Final = "Neither treatment is a placebo: nothing here says that either does anything."
SENTENCE_END: Final = re.compile(r"(?<=\.)\s+")
NEXT: Final = {
    "no_worthwhile_difference": "As far as {name} goes, neither is worth preferring. Other reasons may count: talk "
    "them over with your clinician.",
    "not_enough_to_tell": "These nights do not settle it, either way.{more} Before another trial nof1 plan reckons how "
    "long it must be.",
    "descriptive_only": "These numbers describe and decide nothing. Talk over with your clinician whether a trial that "
    "could decide is worth its nights.",
    "not_usable": "Nothing follows from this analysis about {name}, for the reason above.",
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
    groups = contrasts.grouped(outcomes)
    findings = [
        _finding(result, alike[0], drawn=place < MOST_PICTURES)
        if len(alike) == 1
        else _several(result, alike, drawn=place < MOST_PICTURES)
        for place, alike in enumerate(groups)
    ]
    shown = {
        "findings": findings,
        "cautions": _capped(cautions.cautions(result)),
        "sure": [*_how_sure(groups, result["arms"]), *filter(None, [cautions.doses(result)])],
        "fooled": _fooled(result),
        "side_effects": side_effects.lines(result),
        "next": what_next(result),
    }
    return shown | {"density": _density(result, shown)}


def _finding(result: Json, outcome: Json, *, drawn: bool) -> dict[str, Any]:
    """Tell one contrast: its headline, how sure it is, and for the first ones the pictures."""
    arms, blinding = result["arms"], result["blinding"]
    with_icons = drawn and icons.told(outcome)
    with_line = drawn and outcome["verdict"] != "not_usable"
    return {
        "title": f"{sentences.title(outcome, arms)}, {outcome['role']} outcome",
        "each": [],
        "headline": sentences.headline(outcome, arms, blinding=blinding),
        "sentences": _how_it_is_known(outcome, arms, sentences.size)[: None if drawn else 1],
        "icons": icons.figure(outcome, arms) if with_icons else None,
        "legend": icons.legend(outcome, arms) if with_icons else [],
        "line": number_line.figure(outcome, arms) if with_line else None,
        "caption": number_line.caption(outcome) if with_line else "",
    }


def _several(result: Json, alike: Sequence[Json], *, drawn: bool) -> dict[str, Any]:
    """Tell several contrasts of one outcome: each headline, icons for the first ones, and one line of all arms."""
    arms, first = result["arms"], alike[0]
    each = [_finding(result, one, drawn=False) | {"sentences": []} for one in alike]
    if all(one["verdict"] == "descriptive_only" for one in alike):
        each = [each[0] | {"headline": sentences.all_descriptive(alike, arms)}]
    known = [_how_it_is_known(one, arms, sentences.size_alone) for one in alike]
    shared = [line for line in known[0] if all(line in said for said in known)]
    for told, one, said in zip(each[:MOST_SIDE_BY_SIDE], alike, known, strict=False):
        told["sentences"] = [line for line in said if line not in shared]
        if drawn and icons.told(one):
            told |= {"icons": icons.figure(one, arms), "legend": icons.legend(one, arms)}
    levels = contrasts.levels(alike, arms)
    of_all = _around_reference(alike, arms) | {"levels": levels}
    return {
        "title": f"{capitalised(plain(first['label']))}, {first['role']} outcome",
        "each": each,
        "iconless": not any(told["icons"] for told in each),
        "sentences": shared,
        "line": number_line.figure(of_all, arms) if drawn and levels else None,
        "caption": number_line.caption(of_all) if drawn and levels else "",
    }


def _around_reference(alike: Sequence[Json], arms: Sequence[Json]) -> dict[str, Any]:
    """Choose the contrast around whose reference a line of all arms is shaded: the first against the reference arm."""
    usable = [one for one in alike if one["levels"]] or list(alike)
    references = {arm["code"] for arm in arms if arm["reference"]}
    return dict(next((one for one in usable if one["reference"] in references), usable[0]))


def _how_it_is_known(outcome: Json, arms: Sequence[Json], size: Callable[[Json, Sequence[Json]], str]) -> list[str]:
    verdict = outcome["verdict"]
    if verdict == "not_usable":
        return [sentence(outcome["why_not_usable"] or "The fit failed its checks.")]
    if verdict == "descriptive_only":
        return [sentences.why_descriptive(outcome)]
    failure = [sentences.NOT_A_FAILURE] if verdict == "not_enough_to_tell" else []
    return [sentences.evidence(outcome, arms), size(outcome, arms), *failure]


def what_next(result: Json) -> list[str]:
    """Say what follows from the primary outcome, of several contrasts from one with a direction, and what does not."""
    first = next((one for one in result["outcomes"] if one["role"] == "primary"), result["outcomes"][0])
    alike = [one for one in result["outcomes"] if one["measure"] == first["measure"]]
    outcome = next((one for one in alike if one["verdict"] not in NEXT), first)
    verdict = outcome["verdict"]
    if verdict in NEXT:
        more = "".join(f" {said}" for said in sentences.more_needed(outcome))
        return [NEXT[verdict].format(name=plain(outcome["label"]), more=more)]
    return [_decide(result, outcome), *([BLINDED_ONLY] if participant_may_know(result["blinding"]) else [])]


def _decide(result: Json, outcome: Json) -> str:
    """Say what a claimed direction leaves to the patient and the clinician; of several arms it names them all."""
    words = sentences.contrast(outcome, result["arms"])
    beside = "beside cost, effort and side effects, is for the two of you to decide"
    show = "Show this page to your clinician."
    if len(result["arms"]) > len(("arm", "reference")):
        arms = ", ".join(sentences.arm_name(arm["code"]) for arm in result["arms"])
        return f"{show} Which of {arms} is worth going on with, {beside}."
    is_better = outcome["verdict"] in sentences.BETTER
    if not words.against_reference:
        winner, other = (words.arm, words.reference) if is_better else (words.reference, words.arm)
        return f"{show} Whether {words.name} is reason enough to prefer {winner} to {other}, {beside}."
    if is_better:
        return f"{show} Whether {words.name} is reason enough to stay on {words.arm}, {beside}."
    return (
        f"{show} As far as {words.name} goes, {words.arm} made it worse. Whether anything else is reason "
        "enough to stay on it is for the two of you to decide."
    )


def _how_sure(groups: Sequence[Sequence[Json]], arms: Sequence[Json]) -> list[str]:
    """Count the nights, once where all outcomes use the same."""
    told = {" ".join(_nights(alike, arms)): plain(alike[0]["label"]) for alike in reversed(groups)}
    if len(told) == 1:
        return list(told)
    return [f"{capitalised(label)}: {said}" for said, label in reversed(told.items())]


def _nights(alike: Sequence[Json], arms: Sequence[Json]) -> list[str]:
    return [sentences.nights(alike[0])] if len(alike) == 1 else contrasts.nights(alike, arms)


def _fooled(result: Json) -> list[str]:
    """Say in short what could have fooled us; the cautions of this trial stand at the top of the sheet."""
    made = sum(outcome["verdict"] != "not_usable" for outcome in result["outcomes"])
    several = f" {made} comparisons were made, and each is a chance to be fooled." if made > 1 else ""
    return [
        *_cannot_show(result),
        "A wearable guesses the stages of sleep, and a treatment may move the guess without changing sleep.",
        f"What builds up or fades over many days shows only in part.{several}",
        "The result holds for one person, one device and these weeks.",
    ]


def _cannot_show(result: Json) -> list[str]:
    """Say what the protocol says that its trial cannot show; of two treatments at least that neither is a placebo."""
    shows = plain(result["protocol"].get("shows") or "")
    said = [f"This trial c{one[1:]}" for one in SENTENCE_END.split(shows) if one.startswith("Cannot ")]
    if not said and not any(arm["reference"] for arm in result["arms"]):
        return [NO_REFERENCE]
    return said


def _capped(said: list[str]) -> list[str]:
    more = len(said) - MOST_CAUTIONS
    if more <= 1:
        return said
    return [*said[:MOST_CAUTIONS], f"{more} more such points stand in the record for clinicians."]


def _density(result: Json, shown: dict[str, Any]) -> str:
    """Choose how small the sheet is set, by its letters and its pictures."""
    words = [*(words for key in ("cautions", "sure", "fooled", "side_effects", "next") for words in shown[key])]
    words += [result["protocol"]["title"], result["protocol"]["question"], sentences.key(result["arms"])]
    words += [word for one in shown["findings"] for word in (one["title"], *one["sentences"])]
    told = [part for one in shown["findings"] for part in one["each"]]
    words += [word for part in told for word in (part["headline"], *part["sentences"])]
    alone = [one for one in shown["findings"] if not one["each"]]
    letters = sum(map(len, [*words, *(one["headline"] for one in alone)]))
    letters += sum(LETTERS_OF_ICONS for one in alone if one["icons"])
    letters += LETTERS_OF_ICONS * any(part["icons"] for part in told)
    letters += sum(LETTERS_OF_A_LINE for one in shown["findings"] if one["line"])
    return next((name for most, name in DENSITIES if letters <= most), "densest")
