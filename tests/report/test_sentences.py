"""Tests of the words: they follow the numbers and nothing else."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import DataError
from nof1.report import sentences
from nof1.report.lines import lines
from nof1.report.rounding import percent, whole_percent

probabilities = st.floats(0, 1, allow_nan=False)
ARMS = [
    {"code": "magnesium", "label": "Magnesium", "reference": False},
    {"code": "placebo", "label": "Placebo", "reference": True},
]
TWO_ACTIVES = [
    {"code": "glycinate", "label": "Glycinate", "reference": False},
    {"code": "citrate", "label": "Citrate", "reference": False},
]
LADDER = [low for _, _, low in sentences.PROBABILITY_WORDS]
LADDER += [sentences.AS_LIKELY_AS_NOT, *(high for _, high, _ in reversed(sentences.PROBABILITY_WORDS))]


def decided(p: dict[str, float]) -> str:
    """Decide as report.md's list does, written a second time so that words and rules are held against each other."""
    rules = [
        ("meaningful_benefit", p["p_better"] >= 0.95 and p["p_better_worthwhile"] >= 0.8),
        ("benefit", p["p_better"] >= 0.95 and p["p_better_worthwhile"] >= 0.5),
        ("meaningful_worsening", p["p_worse"] >= 0.95 and p["p_worse_worthwhile"] >= 0.8),
        ("worsening", p["p_worse"] >= 0.95 and p["p_worse_worthwhile"] >= 0.5),
        ("no_worthwhile_difference", p["p_no_worthwhile_difference"] >= 0.975),
        ("better_size_unclear", p["p_better"] >= 0.975),
        ("worse_size_unclear", p["p_worse"] >= 0.95),
        ("not_enough_to_tell", True),
    ]
    return next(verdict for verdict, holds in rules if holds)


@st.composite
def outcomes(draw: st.DrawFn, arms: list[dict[str, Any]] = ARMS) -> dict[str, Any]:
    """Draw an outcome with probabilities that add up and the verdict that belongs to them."""
    parts = draw(st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda four: sum(four) > 0.01))
    far_worse, worse, better, far_better = (part**4 / sum(p**4 for p in parts) for part in parts)
    p = {
        "p_better": min(better + far_better, 1.0),
        "p_better_worthwhile": far_better,
        "p_worse": min(worse + far_worse, 1.0),
        "p_worse_worthwhile": far_worse,
        "p_no_worthwhile_difference": min(worse + better, 1.0),
    }
    higher = draw(st.booleans())
    median = draw(st.floats(0.1, 40)) * (1 if (p["p_better"] > 0.5) == higher else -1)
    summary = {"median": median, "ci50": [median - 3, median + 3], "ci95": [median - 9, median + 9]}
    return {
        "measure": "deep_min" if higher else "sol_min",
        "label": "deep sleep" if higher else "sleep onset latency",
        "unit": "min",
        "better": "higher" if higher else "lower",
        "worthwhile": 10.0,
        "worthwhile_ratio": None,
        "worthwhile_why": "Fixed in the protocol.",
        "arm": arms[0]["code"],
        "reference": arms[1]["code"],
        "effect": summary,
        "ratio": None,
        "levels": {arm["code"]: {"median": 70.0, "ci95": [60.0, 80.0]} for arm in arms},
        "probability": p,
        "verdict": decided(p),
        "why_not_usable": None,
        "why_descriptive": None,
        "nights": {"planned": 80, "recorded": 78, "used": 70, "excluded": {}, "used_by_arm": {}},
    }


@given(probabilities, probabilities)
def test_words_never_fall_as_probability_rises(one: float, other: float) -> None:
    """A higher probability never gets a weaker word."""
    low, high = sorted((one, other))
    assert LADDER.index(sentences.probability_words(low)) <= LADDER.index(sentences.probability_words(high))


@given(st.integers(0, 100_000).map(lambda n: n / 100_000))
def test_a_probability_and_its_complement_mirror_each_other(p: float) -> None:
    """What is very likely one way is very unlikely the other way, and the two numbers add up to 100."""
    mirrored = LADDER[len(LADDER) - 1 - LADDER.index(sentences.probability_words(p))]
    assert sentences.probability_words(1 - p) == mirrored
    assert whole_percent(p) + whole_percent(1 - p) == 100


@given(probabilities)
def test_a_shown_percentage_never_overstates(p: float) -> None:
    """Rounding moves a probability towards 50 %, by less than one percentage point."""
    assert abs(whole_percent(p) - 50) <= abs(100 * p - 50) + 1e-6
    assert abs(whole_percent(p) - 100 * p) < 1 + 1e-6


@pytest.mark.parametrize(
    ("p", "shown"), [(0.9496, "94 %"), (0.95, "95 %"), (0.57, "57 %"), (0.29, "29 %"), (0.0504, "6 %")]
)
def test_a_threshold_just_missed_is_shown_as_missed(p: float, shown: str) -> None:
    """94.96 % is not shown as the 95 % that a verdict would need."""
    assert percent(p) == shown


def test_certainty_is_never_claimed() -> None:
    """Draws that all agree are shown as over 99 %, never as 100 %."""
    assert percent(1.0) == "over 99 %"
    assert percent(0.0) == "under 1 %"
    assert percent(0.99) == "99 %"


@given(outcomes())
def test_a_headline_points_the_way_of_the_probabilities(outcome: dict[str, Any]) -> None:
    """The direction in the headline is the one in which most of the probability lies, whichever sign is better."""
    said = sentences.headline(outcome, ARMS, blinding="double-blind")
    better, worse = ("longer", "shorter") if outcome["better"] == "higher" else ("shorter", "longer")
    p = outcome["probability"]
    if f" {better} on magnesium" in said:
        assert p["p_better"] >= 0.95
        assert said.startswith("Better, size unclear: " if outcome["verdict"] in sentences.UNCLEAR else "Benefit: ")
    elif f" {worse} on magnesium" in said:
        assert p["p_worse"] >= 0.95
        assert said.startswith("Worse, size unclear: " if outcome["verdict"] in sentences.UNCLEAR else "Worsening: ")
    else:
        assert said.startswith(("Not enough to tell", "No difference worth having"))


@given(outcomes())
def test_the_number_beside_a_word_belongs_to_it(outcome: dict[str, Any]) -> None:
    """In the evidence every word of probability is followed by the percentage of its probability, the likelier way."""
    said = sentences.evidence(outcome, ARMS)
    p, verdict = outcome["probability"], outcome["verdict"]
    undecided = verdict not in {*sentences.BETTER, *sentences.WORSE}
    way = "p_worse" if verdict in sentences.WORSE or (undecided and p["p_worse"] > p["p_better"]) else "p_better"
    for key in (way, f"{way}_worthwhile"):
        assert f"{sentences.probability_words(p[key])} ({percent(p[key])}) that" in said


@given(outcomes())
def test_an_open_label_trial_claims_no_more_than_consistency(outcome: dict[str, Any]) -> None:
    """In an open-label trial every direction is called consistent with, and expectation is named."""
    said = sentences.headline(outcome, ARMS, blinding="open label")
    if outcome["verdict"] in {*sentences.BETTER, *sentences.WORSE}:
        kind = "benefit" if outcome["verdict"] in sentences.BETTER else "worsening"
        size = ", size unclear" if outcome["verdict"] in sentences.UNCLEAR else ""
        assert said.startswith(f"Consistent with a {kind}{size}; expectation not excluded: ")
    else:
        assert said == sentences.headline(outcome, ARMS, blinding="double-blind")


@given(outcomes(arms=TWO_ACTIVES))
def test_between_two_actives_a_result_favours_one(outcome: dict[str, Any]) -> None:
    """Without a reference arm there is no benefit and no worsening: the result favours the better arm by name."""
    said = sentences.headline(outcome, TWO_ACTIVES, blinding="double-blind")
    assert "Benefit" not in said
    assert "Worsening" not in said
    size = ", size unclear" if outcome["verdict"] in sentences.UNCLEAR else ""
    if outcome["verdict"] in sentences.BETTER:
        assert said.startswith(f"Favours glycinate{size}: ")
    if outcome["verdict"] in sentences.WORSE:
        assert said.startswith(f"Favours citrate{size}: ")


@given(outcomes(), st.sampled_from([*sentences.BETTER, *sentences.WORSE, "no_worthwhile_difference"]))
def test_a_verdict_that_its_probability_contradicts_is_refused(outcome: dict[str, Any], verdict: str) -> None:
    """A result whose verdict says one thing and whose probabilities say another is never put into words."""
    key = {True: "p_better", False: "p_worse"}[verdict in sentences.BETTER]
    key = "p_no_worthwhile_difference" if verdict == "no_worthwhile_difference" else key
    outcome = outcome | {"verdict": verdict, "probability": outcome["probability"] | {key: 0.4}}
    with pytest.raises(DataError, match=key):
        sentences.headline(outcome, ARMS, blinding="double-blind")


def test_an_unknown_verdict_is_refused(make: Any) -> None:
    """A verdict that this version has no words for is refused, not guessed."""
    result, _ = make("benefit")
    outcome = result["outcomes"][0] | {"verdict": "miracle"}
    with pytest.raises(DataError, match="miracle"):
        sentences.headline(outcome, result["arms"], blinding="double-blind")


@pytest.mark.parametrize(
    ("value", "said"), [(12.4, "12 min longer"), (-3.2, "3 min shorter"), (0.3, "less than 1 min longer")]
)
def test_differences_carry_their_direction(value: float, said: str, make: Any) -> None:
    """A difference is told with its direction, and a tiny one is not called nothing."""
    result, _ = make("benefit")
    words = sentences.contrast(result["outcomes"][0], result["arms"])
    assert sentences.difference(value, "min", words) == said


def test_a_ratio_is_mirrored_for_the_worse_direction(make: Any) -> None:
    """A worthwhile fall to 0.80 is 20 % shorter; its mirror image is a rise to 1.25, 25 % longer."""
    latency = make("benefit")[0]["outcomes"][1]
    assert sentences.worthwhile_words(latency) == "20 %"
    assert sentences.worthwhile_words(latency, worse=True) == "25 %"


def test_a_failed_fit_yields_a_reason_and_no_number(make: Any) -> None:
    """Of a fit that failed its checks, only the reason and the count of nights are told."""
    result, _ = make("not_usable")
    outcome = result["outcomes"][0]
    said = sentences.finding(outcome, result["arms"], blinding="double-blind")
    assert said[0].startswith("No claim about deep sleep")
    assert said[1] == outcome["why_not_usable"]
    assert len(said) == 3
    assert not any("%" in line or " min" in line for line in said)


def test_numbers_without_a_verdict_come_without_words_of_probability(make: Any) -> None:
    """A descriptive outcome tells its numbers and why there is no verdict, and nothing is called likely."""
    result, _ = make("descriptive_only")
    outcome = result["outcomes"][0]
    said = " ".join(sentences.finding(outcome, result["arms"], blinding="double-blind"))
    assert outcome["why_descriptive"] in said
    assert "Best estimate" in said
    assert "likely" not in said


def test_without_a_worthwhile_change_only_the_direction_is_told(make: Any) -> None:
    """Where no worthwhile change was fixed, none is claimed and the reason is given."""
    outcome = copy.deepcopy(make("better_size_unclear")[0]["outcomes"][0])
    outcome |= {"worthwhile": None, "worthwhile_why": "the run-in median was under 20 min"}
    sized = ("p_better_worthwhile", "p_worse_worthwhile", "p_no_worthwhile_difference")
    outcome["probability"] |= dict.fromkeys(sized)
    said = sentences.finding(outcome, ARMS, blinding="double-blind")
    assert "The run-in median was under 20 min." in said
    assert not any("at least" in line for line in said)


def test_the_randomisation_test_is_told_with_its_limits(make: Any) -> None:
    """With p come the smallest that was within reach, the set, and what the set takes for granted."""
    result, _ = make("benefit")
    deep, latency = (sentences.randomisation(outcome, result["arms"]) or "" for outcome in result["outcomes"])
    assert "magnesium − placebo is 11.5 min by the means of the periods; over all 64 orders" in deep
    assert "p = 0.125 (two-sided, studentised 0.156), and no p under 0.0312 was within reach" in deep
    assert "95 % confidence set: 2.1 min to 20.6 min, if the effect is the same on every night" in deep
    assert "magnesium / placebo is 0.89 by the medians" in latency
    assert "0.62 to 1.27" in latency
    assert deep in lines(result)


def test_a_test_without_a_set_says_why(make: Any) -> None:
    """A design that cannot reach 5 % says so instead of a set; draws are not called all orders."""
    result, _ = make("benefit")
    outcome = result["outcomes"][0]
    changed = {"confidence_set": None, "why_no_set": "the set is the whole line", "exact": False, "n_sequences": 10**80}
    outcome["randomisation_test"] |= changed
    said = sentences.randomisation(outcome, result["arms"]) or ""
    assert said.endswith("The set is the whole line.")
    assert "over 10,000 of the orders" in said


def test_a_refused_test_gives_its_reason_and_no_number(make: Any) -> None:
    """Refused: the reason; nothing claimed, or an old result without a test: no line at all."""
    result, _ = make("benefit", drawn_by_nof1=False)
    outcome, arms = result["outcomes"][0], result["arms"]
    assert sentences.randomisation(outcome, arms) == "No randomisation test: The schedule was brought."
    assert sentences.randomisation(outcome | {"randomisation_test": None}, arms) is None
    failed = make("not_usable")[0]
    assert sentences.randomisation(failed["outcomes"][0], arms) is None


def test_the_cautions_stand_among_the_lines(make: Any) -> None:
    """An open-label trial whose schedule nof1 did not draw says both, and always that it is no diagnosis."""
    result, _ = make("benefit", blinding="open label", drawn_by_nof1=False)
    said = lines(result)
    assert any(line.startswith("Open label") for line in said)
    assert any("did not draw this schedule" in line for line in said)
    assert said[-1] == sentences.DISCLAIMER


@given(st.text())
def test_imported_text_cannot_act_on_a_terminal(text: str) -> None:
    """Cleaned text holds no control character and no mark that turns the reading direction."""
    cleaned = sentences.plain(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in cleaned)
    assert not {"\u202e", "\u2066", "\u2069"} & set(cleaned)
    assert sentences.plain(cleaned) == cleaned


def test_nights_that_were_not_recorded_are_counted_in_all() -> None:
    """Those among the first nights of a period stand under these; the count of all stands beside the others."""
    excluded = {"transition": 36, "missing": 3}
    counts = {"planned": 120, "recorded": 115, "used": 81, "used_by_arm": {"magnesium": 42, "placebo": 39}}
    said = sentences.nights({"nights": counts | {"excluded": excluded}})
    assert said.endswith("Not used: 36 first nights of a period, set aside by the protocol; 3 not recorded (5 in all).")
    assert sentences.nights({"nights": counts | {"excluded": excluded, "recorded": 117}}).endswith("; 3 not recorded.")


def test_percentages_are_points_apart() -> None:
    """Between 90 % and 88.8 % lie 1.2 percentage points; "1.2 % higher" would be a ratio."""
    words = sentences.contrast({**told_of("tst_min"), "unit": "%"}, ARMS)
    assert sentences.difference(1.24, "%", words) == "1.2 percentage points higher"
    assert sentences.worthwhile_words({"worthwhile": 5.0, "unit": "%"}) == "5 percentage points"


def told_of(measure: str) -> dict[str, str]:
    """An outcome of the two arms, as far as its words go."""
    return {
        "measure": measure,
        "label": "sleep efficiency",
        "better": "higher",
        "arm": "magnesium",
        "reference": "placebo",
    }
