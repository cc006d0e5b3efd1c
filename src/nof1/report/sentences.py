"""A result in plain words: the same sentences on the page and in the terminal.

Everything here is pure: it takes the dict of ``result.json`` and returns text. Words for probabilities come from one
table, and the number always stands beside them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nof1.errors import DataError
from nof1.report.plain import capitalised, plain, sentence
from nof1.report.randomisation import by_the_draw_alone
from nof1.report.rounding import decimals_in_sentences, fixed, of_differences, percent, quantity, whole_percent
from nof1.trial.blinding import participant_may_know

type Json = Mapping[str, Any]

LEANS: Final = 0.9
"""From this probability of a direction, "not enough to tell" alone would seem to contradict the sentence after it."""


DISCLAIMER: Final = "This is not a diagnosis; do not change medicines without your clinician."

NOT_A_FAILURE: Final = "This is a result, not a failure: with nights as variable as these only more periods could tell."

PROBABILITY_WORDS: Final = (
    (99, "almost certain", "almost impossible"),
    (95, "extremely likely", "extremely unlikely"),
    (90, "very likely", "very unlikely"),
    (66, "likely", "unlikely"),
)
"""Whole percentages from which a word holds, and its mirror image below 50.

The approximate probability scale of EFSA's guidance on uncertainty analysis (2018), doi 10.2903/j.efsa.2018.5123. Its
bound of 33 is 34 here, so that a probability and its complement always get mirrored words.
"""
AS_LIKELY_AS_NOT: Final = "about as likely as not"

LATENCY_SOURCE: Final = {
    "diary": "from lights-out as written in the diary",
    "in_bed": "from the mark or tap of going to bed, as the export gives it",
    "vendor": "as the export gives it: the device maker's own figure, or that of whoever wrote the file",
    "stages": "from the first minute of the recording: the device guessed when bed began, which is biased and may be "
    "moved by the treatment itself; no verdict is given on it",
}
"""What the time to fall asleep is measured from, as running text."""

BETTER: Final = ("meaningful_benefit", "benefit", "better_size_unclear")
WORSE: Final = ("meaningful_worsening", "worsening", "worse_size_unclear")
UNCLEAR: Final = ("better_size_unclear", "worse_size_unclear")
"""The verdicts of a direction whose size they leave open."""
WHY_EXCLUDED: Final = {
    "transition": "first nights of a period, set aside by the protocol",
    "run_in": "run-in before the first period",
    "no_arm": "on no treatment",
    "other_arm": "on an arm that is not compared here",
    "missing": "not recorded",
    "short": "under 3 hours of sleep",
    "incomplete": "recording incomplete",
    "manual": "entered by hand",
    "unstaged": "sleep stages missing",
    "no_sleep": "no sleep, time in bed unknown",
    "no_lights_out": "time of lights-out unknown",
    "lights_out_after_onset": "stated lights-out after the detected onset",
    "lights_out_too_early": "stated lights-out more than 12 hours before the onset",
    "no_value": "not measured by the device",
}
"""Plain words for the reasons of exclusion; a reason that is not here is shown as it stands."""


def arm_name(code: str) -> str:
    """Name an arm in running text: by its code, because labels describe and are long; see `key`."""
    return plain(code).replace("_", " ")


def probability_words(p: float) -> str:
    """Say a probability in the words of the fixed table, judged by the percentage that is shown beside them."""
    shown = whole_percent(p)
    for least, high, low in PROBABILITY_WORDS:
        if shown >= least:
            return high
        if shown <= 100 - least:
            return low
    return AS_LIKELY_AS_NOT


def sure(p: float) -> str:
    """Say a probability in words with its number: ``likely (72 %)``."""
    return f"{probability_words(p)} ({percent(p)})"


@dataclass(frozen=True, slots=True)
class Contrast:
    """The words of one comparison.

    Parameters
    ----------
    name
        The outcome in running text: "deep sleep".
    arm, reference
        Names of the two arms; an effect is arm − reference.
    against_reference
        False between two actives, where a result "favours" one of them.
    up, down
        What more and less of the outcome are called: longer and shorter for minutes, else higher and lower.
    better, worse
        Of these two, which is the better for the person.
    """

    name: str
    arm: str
    reference: str
    against_reference: bool
    up: str
    down: str
    better: str
    worse: str


def contrast(outcome: Json, arms: Sequence[Json]) -> Contrast:
    """Look up by code what an outcome and its two arms are called."""
    by_code = {arm["code"]: arm for arm in arms}
    up, down = ("longer", "shorter") if outcome["unit"] == "min" else ("higher", "lower")
    better, worse = (up, down) if outcome["better"] == "higher" else (down, up)
    return Contrast(
        name=plain(outcome["label"]),
        arm=arm_name(outcome["arm"]),
        reference=arm_name(outcome["reference"]),
        against_reference=bool(by_code[outcome["reference"]]["reference"]),
        up=up,
        down=down,
        better=better,
        worse=worse,
    )


def verdict_tag(outcome: Json, arms: Sequence[Json], *, blinding: str) -> str:
    """Say the verdict in a few words.

    Where the participant may have known, no direction is claimed beyond "consistent with": expectation could make one.
    """
    verdict = outcome["verdict"]
    still = {
        "no_worthwhile_difference": "No difference worth having",
        "not_enough_to_tell": "Not enough to tell",
        "descriptive_only": "Numbers without a verdict",
        "not_usable": "No claim",
    }
    if verdict in still:
        return still[verdict]
    words, size = contrast(outcome, arms), ", size unclear" if verdict in UNCLEAR else ""
    if not words.against_reference:
        winner = words.arm if verdict in BETTER else words.reference
        favours = f"favours {winner}{size}"
        return _as_claimed(f"a difference that {favours}", capitalised(favours), blinding)
    change = "benefit" if verdict in BETTER else "worsening"
    way = "Better" if verdict in BETTER else "Worse"
    return _as_claimed(f"a {change}{size}", f"{way}{size}" if size else capitalised(change), blinding)


def _as_claimed(cautious: str, bold: str, blinding: str) -> str:
    return f"Consistent with {cautious}; expectation not excluded" if participant_may_know(blinding) else bold


def headline(outcome: Json, arms: Sequence[Json], *, blinding: str) -> str:
    """Say in one line what was found.

    Raises
    ------
    DataError
        The verdict contradicts the probabilities beside it, or is not one of nof1's.
    """
    _refuse_contradiction(outcome)
    words, verdict = contrast(outcome, arms), outcome["verdict"]
    pair = f"{words.arm} and on {words.reference}"
    found = {
        "no_worthwhile_difference": f": {words.name} is about the same on {pair}",
        "not_enough_to_tell": f" whether {words.name} differs between {words.arm} and {words.reference}"
        + _lean(outcome),
        "descriptive_only": f": {words.name} on {pair}",
        "not_usable": f" about {words.name} on {pair}",
    }.get(verdict)
    if found is None:
        way = words.better if verdict in BETTER else words.worse
        found = f": {words.name} is {way} on {words.arm} than on {words.reference}; {_how_much(outcome)}"
    return f"{verdict_tag(outcome, arms, blinding=blinding)}{found}."


def all_descriptive(alike: Sequence[Json], arms: Sequence[Json]) -> str:
    """Say in one line that no contrast of an outcome has a verdict."""
    codes = {code for one in alike for code in (one["arm"], one["reference"])}
    *others, last = (arm_name(arm["code"]) for arm in arms if arm["code"] in codes)
    return f"Numbers without a verdict: {plain(alike[0]['label'])} on {', '.join(others)} and {last}."


def _lean(outcome: Json) -> str:
    """Say that a direction is probable, or that any difference is small, where it is and yet falls short."""
    known = outcome["probability"]
    if known is None:
        return ""
    if max(known["p_better"], known["p_worse"]) >= LEANS:
        return "; it leans one way, but not surely enough for a verdict"
    if (known["p_no_worthwhile_difference"] or 0.0) >= LEANS:
        return "; a difference worth having is improbable, but not surely enough for a verdict"
    return ""


def _how_much(outcome: Json) -> str:
    verdict = outcome["verdict"]
    p = outcome["probability"]["p_better_worthwhile" if verdict in BETTER else "p_worse_worthwhile"]
    if p is None:
        return "by how much is unclear"
    return f"that this is enough to matter is {sure(p)}"


def _refuse_contradiction(outcome: Json) -> None:
    verdict, probability = outcome["verdict"], outcome["probability"]
    if verdict not in {*BETTER, *WORSE, "no_worthwhile_difference"}:
        if verdict in {"not_enough_to_tell", "descriptive_only", "not_usable"}:
            return
        raise DataError(
            f"{outcome['measure']}: verdict {verdict!r} is unknown. Run nof1 analyse again with this version."
        )
    key = "p_better" if verdict in BETTER else "p_worse" if verdict in WORSE else "p_no_worthwhile_difference"
    if not (probability and (probability[key] or 0) > 0.5):  # noqa: PLR2004  more likely than not: the least any verdict asks
        raise DataError(
            f"{outcome['measure']}: verdict {verdict!r} contradicts {key} in the result. Run nof1 analyse again."
        )


def worthwhile_words(outcome: Json, *, worse: bool = False) -> str | None:
    """Say the worthwhile change: ``10 min``, ``20 %``; None where none was fixed.

    A ratio r is mirrored as 1 / r, so that a fall to 0.80 (20 %) stands beside a rise to 1.25 (25 %).
    """
    if outcome["worthwhile"] is not None:
        return _trimmed(outcome["worthwhile"], of_differences(outcome["unit"]))
    if outcome["worthwhile_ratio"] is None:
        return None
    ratio = outcome["worthwhile_ratio"]
    return _trimmed(100 * abs((1 / ratio if worse else ratio) - 1), "%")


def _trimmed(value: float, unit: str) -> str:
    return f"{round(abs(value), 1):g} {unit}"


def evidence(outcome: Json, arms: Sequence[Json]) -> str:
    """Say how probable a direction, and a worthwhile change that way, are: the claimed one, else the likelier."""
    p, words = outcome["probability"], contrast(outcome, arms)
    worse = outcome["verdict"] in WORSE or (outcome["verdict"] not in BETTER and p["p_worse"] > p["p_better"])
    way, p_way = (words.worse, p["p_worse"]) if worse else (words.better, p["p_better"])
    p_worthwhile = p["p_worse_worthwhile"] if worse else p["p_better_worthwhile"]
    said = [f"It is {sure(p_way)} that {words.name} is {way} on {words.arm} than on {words.reference}"]
    change = worthwhile_words(outcome, worse=worse)
    if change is not None and p_worthwhile is not None:
        said.append(f"{sure(p_worthwhile)} that it is {way} by at least {change}, the change worth having")
        if outcome["verdict"] in {"no_worthwhile_difference", "not_enough_to_tell", *UNCLEAR}:
            said.append(f"{sure(p['p_no_worthwhile_difference'])} that any difference is smaller than worth having")
    return f"{'; '.join(said)}."


def difference(value: float, unit: str, words: Contrast) -> str:
    """Say a difference with its direction: ``12 min longer``."""
    way = words.up if value >= 0 else words.down
    decimals, apart = decimals_in_sentences(unit), of_differences(unit)
    if round(value, decimals) == 0:
        return f"less than {_trimmed(10**-decimals, apart)} {way}"
    return f"{quantity(abs(value), apart, decimals)} {way}"


def size(outcome: Json, arms: Sequence[Json]) -> str:
    """Say the size of the difference: its posterior median and the 95 % equal-tailed interval."""
    words, unit = contrast(outcome, arms), outcome["unit"]
    (low, high), middle = outcome["effect"]["ci95"], outcome["effect"]["median"]
    of = ("average " if zeros(outcome) else "median ") if outcome["ratio"] else ""
    return (
        f"Best estimate: {of}{words.name} {difference(middle, unit, words)} on {words.arm} than on {words.reference}; "
        f"with 95 % probability between {difference(low, unit, words)} and {difference(high, unit, words)}."
    )


def size_alone(outcome: Json, arms: Sequence[Json]) -> str:
    """Say the same where the arms stand above it."""
    words, unit = contrast(outcome, arms), outcome["unit"]
    low, middle, high = (
        difference(value, unit, words)
        for value in (outcome["effect"]["ci95"][0], outcome["effect"]["median"], outcome["effect"]["ci95"][1])
    )
    return f"Best estimate: {middle}; 95 %: {low} to {high}."


def estimate(outcome: Json, arms: Sequence[Json]) -> str:
    """Say the size of the difference; of a latency as a ratio, too."""
    said = size(outcome, arms)
    if not outcome["ratio"]:
        return said
    low, high = (fixed(bound, 2) for bound in outcome["ratio"]["ci95"])
    return f"{said} As a ratio: {fixed(outcome['ratio']['median'], 2)} ({low} to {high})."


def levels(outcome: Json) -> str:
    """Say what to expect on each arm."""
    unit = outcome["unit"]
    said = (
        f"{quantity(level['median'], unit, decimals_in_sentences(unit))} on {arm_name(code)}"
        for code, level in outcome["levels"].items()
    )
    median = outcome["ratio"] and not zeros(outcome)
    kind = "Half of the nights are expected to be below" if median else "Expected on an average night:"
    return f"{kind} {', '.join(said)}."


def zeros(outcome: Json) -> str | None:
    """Say that nights without any latency are a part of the average; None where the model has no such part."""
    model = outcome.get("model") or {}
    if model.get("family") != "hurdle_lognormal":
        return None
    told = model["zeros"]
    return (
        f"On {told['seen']} of {told['nights']} nights, the run-in among them, no time to fall asleep was told, where "
        f"{percent(told['expected'])} would be expected of nights like the others: they count as 0 minutes, and "
        "averages of all nights are compared."
    )


def nights(outcome: Json) -> str:
    """Count the nights: planned, recorded, used on each arm, and why the others were not used."""
    counts = outcome["nights"]
    by_arm = ", ".join(f"{n} on {arm_name(code)}" for code, n in counts["used_by_arm"].items())
    said = (
        f"{counts['used']} of {counts['planned']} planned nights used ({by_arm}); {counts['recorded']} were recorded."
    )
    reasons = {reason: str(n) for reason, n in counts["excluded"].items() if n}
    return said + not_used(reasons, unrecorded=counts["planned"] - counts["recorded"])


def not_used(counts: Mapping[str, str], *, unrecorded: int) -> str:
    """Say why nights were not used, and how many of all of them were not recorded: of first nights, too.

    Parameters
    ----------
    counts
        By reason, as they are shown: ``3``, or ``1 + 2`` of two arms.
    """
    if not counts:
        return ""
    also = {"missing": f" ({unrecorded} in all)"} if str(unrecorded) != counts.get("missing", str(unrecorded)) else {}
    reasons = (f"{n} {why_excluded(reason)}{also.get(reason, '')}" for reason, n in counts.items())
    return f" Not used: {'; '.join(reasons)}."


def randomisation(outcome: Json, arms: Sequence[Json]) -> str | None:
    """Say what the draw alone tells; None where nothing is claimed, and in results of before there was a test."""
    test = outcome.get("randomisation_test")
    if test is None or outcome["verdict"] == "not_usable":
        return None
    words = contrast(outcome, arms)
    return by_the_draw_alone(test, f"{words.arm} − {words.reference}", f"{words.arm} / {words.reference}")


def title(outcome: Json, arms: Sequence[Json]) -> str:
    """Head what is told of one contrast; where there are but two arms the outcome's name is enough."""
    name = capitalised(plain(outcome["label"]))
    if len(arms) <= len(("arm", "reference")):
        return name
    return f"{name}, {arm_name(outcome['arm'])} against {arm_name(outcome['reference'])}"


def why_excluded(reason: str) -> str:
    """Say a reason of exclusion in plain words."""
    return WHY_EXCLUDED.get(reason, plain(reason).replace("_", " "))


def finding(outcome: Json, arms: Sequence[Json], *, blinding: str) -> list[str]:
    """Say all there is to say about one outcome: the headline first.

    A fit that failed its checks yields its reason and no number; numbers without a verdict come without words of
    probability.
    """
    said = [headline(outcome, arms, blinding=blinding)]
    verdict = outcome["verdict"]
    if verdict == "not_usable":
        said.append(sentence(outcome["why_not_usable"] or "The fit failed its checks."))
    else:
        if verdict == "descriptive_only":
            said.append(why_descriptive(outcome))
        else:
            said.append(evidence(outcome, arms))
        said += [told for told in (estimate(outcome, arms), levels(outcome), zeros(outcome)) if told]
        if worthwhile_words(outcome) is None and outcome["worthwhile_why"]:
            said.append(sentence(outcome["worthwhile_why"]))
    if verdict == "not_enough_to_tell":
        said += [NOT_A_FAILURE, *more_needed(outcome)]
    return [*said, nights(outcome)]


def more_needed(outcome: Json) -> list[str]:
    """Say how many more periods would help; nothing where it cannot be reckoned."""
    more = outcome["more"]
    if more is None:
        return []
    pairs = f"{more['pairs']} more pair{'s' if more['pairs'] > 1 else ''} of periods like these"
    begin = f"With about {pairs}" if more["is_enough"] else f"Even with {pairs}"
    return [f"{begin} it is {sure(more['chance'])} that there would be a verdict."]


def why_descriptive(outcome: Json) -> str:
    """Say why numbers come without a verdict."""
    return sentence(outcome["why_descriptive"] or "The protocol asks for no verdict on this outcome.")


def key(arms: Sequence[Json]) -> str:
    """Say what each arm is."""
    return f"{'; '.join(f'{arm_name(arm["code"])} = {plain(arm["label"])}' for arm in arms)}."
