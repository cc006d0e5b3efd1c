"""What other analyses would have said is told whole, and in the words of the result."""

import re
from copy import deepcopy

import pytest

from nof1.model.sensitivity import ALTERNATIVES
from nof1.report import alternatives, canvas
from nof1.report.lines import lines
from nof1.report.page import render_report


def row(name, median, verdict, *, why_not=None):
    """One row of ``sensitivity``, as the model room makes it."""
    fitted = why_not is None
    effect = {"median": median, "mean": median, "sd": 4.0, "ci50": [median - 2.7, median + 2.7]}
    return {
        "name": name,
        "nights": 78,
        "effect": effect | {"ci95": [median - 7.8, median + 7.8]} if fitted else None,
        "ratio": None,
        "probability": {"p_better": 0.981} if fitted else None,
        "verdict": verdict,
        "why_not": why_not,
        "tau_median": 1.24 if name == "wash_in" else None,
        "tau_ci95": [0.4, 2.9] if name == "wash_in" else None,
        "tau_learned": True if name == "wash_in" else None,
    }


@pytest.fixture
def result(make):
    """A benefit with three alternatives, one that says otherwise, one that could not be fitted."""
    told, tree = make("meaningful_benefit")
    told["outcomes"][0]["sensitivity"] = [
        row("sceptical", 8.84, "better_size_unclear"),
        row("wash_in", 17.26, "meaningful_benefit"),
        row("as_taken", 0.0, None, why_not="4 usable nights"),
    ]
    return told, tree


def test_every_alternative_has_words():
    """No alternative of the model room is without a name for people, and none is named that does not exist."""
    assert set(alternatives.IN_WORDS) == set(ALTERNATIVES)


def test_the_table_shows_what_the_result_says(result):
    """Medians and intervals are those of the result to one decimal place; what could not be fitted says why."""
    told, _ = result
    rows = alternatives.table(told["outcomes"][0], told["arms"], blinding=told["blinding"])
    assert rows[0][1:] == ("78", "8.8", "1.0 to 16.6", "98 %", "Better, size unclear")
    assert rows[1][1:] == ("78", "17.3", "9.5 to 25.1", "98 %", "Benefit, likely enough to matter")
    assert rows[2][1:] == ("78", "–", "–", "–", "4 usable nights.")


def test_what_would_change_the_verdict_is_said_on_page_and_terminal(result):
    """What says another direction is named, with what it would say, priors by themselves; where all agree on it, who
    says another size; the same sentence stands in both places."""
    told, tree = result
    said = alternatives.what_would_change(told["outcomes"][0], told["arms"], blinding=told["blinding"])
    assert said == (
        "Analysed in 1 other way, the same nights say the same. Other priors of the effect say the same of the "
        "direction, and of its size “unclear”."
    )
    told["outcomes"][0]["sensitivity"][0]["verdict"] = "not_enough_to_tell"
    told["outcomes"][0]["sensitivity"][1]["verdict"] = "worsening"
    said = alternatives.what_would_change(told["outcomes"][0], told["arms"], blinding=told["blinding"])
    assert said == (
        "Analysed in 1 other way, the same nights say otherwise: “Worsening” with "
        f"{alternatives.IN_WORDS[told['outcomes'][0]['sensitivity'][1]['name']]}. Other priors of the effect say "
        "otherwise: “Not enough to tell” with a sceptic’s prior of the effect, half as wide."
    )
    assert said in lines(told)
    page = re.sub(r"\s+", " ", render_report(told, tree))
    assert said in page
    assert "time constant is 1.2 nights (0.4 to 2.9)" in page


def test_where_all_agree_that_is_said(result):
    """Alternatives that all say the same are a sentence of their own."""
    told, _ = result
    outcome = told["outcomes"][0]
    outcome["sensitivity"] = [row("flat", 18.0, "meaningful_benefit")]
    said = alternatives.what_would_change(outcome, told["arms"], blinding=told["blinding"])
    assert said == "Other priors of the effect say the same."
    outcome["sensitivity"] = [row("wash_in", 18.0, "meaningful_benefit")]
    said = alternatives.what_would_change(outcome, told["arms"], blinding=told["blinding"])
    assert said == "Analysed in 1 other way, the same nights say the same."


def test_a_prior_that_weighs_is_pointed_out(result):
    """Where a prior three times as wide would tell far more, both estimates stand in a sentence; else none does."""
    told, _ = result
    outcome = told["outcomes"][0]
    median = outcome["effect"]["median"]
    for sd, further, is_told in ((4.0, 0.4 * median, False), (4.0, 0.6 * median, True), (4 * median, median, False)):
        outcome["effect"]["sd"] = sd
        outcome["sensitivity"] = [row("flat", median + further, "meaningful_benefit")]
        said = alternatives.what_would_change(outcome, told["arms"], blinding=told["blinding"])
        sentence = (
            f"The prior weighs: with one three times as wide the best estimate is {median + further:.0f} min longer, "
            f"not {median:.0f} min longer."
        )
        assert (sentence in said) is is_told
        assert ("prior weighs" in said) is is_told


@pytest.mark.parametrize("verdict", ["descriptive_only", "not_usable"])
def test_without_a_verdict_nothing_could_change_it(make, verdict):
    """Numbers that carry no verdict get no sentence on what would change it."""
    told, _ = make(verdict)
    outcome = deepcopy(told["outcomes"][0])
    outcome["sensitivity"] = [row("flat", 18.0, None)]
    assert alternatives.what_would_change(outcome, told["arms"], blinding=told["blinding"]) is None


def test_a_speed_that_was_not_learned_is_not_told(result):
    """Where the nights did not tell how fast the effect builds up, no number of nights is shown."""
    told, _ = result
    outcome = told["outcomes"][0]
    outcome["sensitivity"][1]["tau_learned"] = False
    assert "do not tell" in alternatives.onset(outcome)
    assert "1.2" not in alternatives.onset(outcome)


def test_the_figure_says_its_finding(result):
    """The alternative text has the range of the medians and the sentence; a fit without alternatives has no figure."""
    told, _ = result
    drawn = alternatives.figure(told["outcomes"][0], told["arms"], blinding=told["blinding"])
    assert "in 2 other ways" in drawn.alternative
    assert "medians from 8.8 to 17.3 min" in drawn.alternative
    assert drawn.wide.startswith("<svg")
    assert alternatives.figure(told["outcomes"][1], told["arms"], blinding=told["blinding"]) is None


def test_both_engines_are_told_side_by_side():
    """The distance of the two means and the ratio of the SDs are shown with what is allowed."""
    found = {"engines": [{"contrast": "a − b", "apart": -0.034, "allowed": 0.061, "sd_ratio": 0.991}]}
    said = alternatives.engines(found, "a − b")
    assert "0.03 SD" in said
    assert "(allowed: 0.06)" in said
    assert "0.99 of the exact one" in said
    assert alternatives.engines(found, "b − a") is None
    assert alternatives.engines(None, "a − b") is None


# deep sleep and latency together


def together(**other):
    """The account of the joint model, as the model room makes it."""
    each = {"deep_min": 0.923, "sol_min": 0.967}
    both = {"arm": "magnesium", "reference": "placebo", "p_both": 0.8921, "p_each": each}
    told = {"measures": ["deep_min", "sol_min"], "nights_both": 75, "contrasts": [both], "why_not": None}
    correlation = {"median": 0.1, "ci95": [-0.1, 0.3]}
    return {"joint": told | {"correlation": correlation, "why_descriptive": None} | other}


def test_both_better_is_one_sentence_on_page_and_terminal(make):
    """P(both) has its word and its number, and each by itself stands beside it; the same sentence in both places."""
    told, tree = make("meaningful_benefit")
    told |= together()
    said = (
        "Together: it is likely (89 %) that on magnesium deep sleep is longer and sleep onset latency shorter than on "
        "placebo, each by itself with 92 % and 96 %."
    )
    assert said in lines(told)
    assert said in re.sub(r"\s+", " ", render_report(told, tree))


def test_where_nobody_asked_nothing_is_said_of_both(make):
    """Without --full the key is null, and in older results it is missing: there is no sentence."""
    told, _ = make("meaningful_benefit")
    assert alternatives.both_better(told) == []
    assert alternatives.both_better(told | {"joint": None}) == []


def test_a_joint_model_that_failed_has_its_reason(make):
    """A fit that may not be used yields its reason and no number."""
    told, _ = make("meaningful_benefit")
    (said,) = alternatives.both_better(told | together(contrasts=[], why_not="3 draws diverged"))
    assert said == "What deep sleep and sleep onset latency say together is not told: 3 draws diverged."


def test_what_carries_no_verdict_gets_no_word_together(make):
    """Where one outcome only describes, P(both) comes as a number without a word of probability."""
    told, _ = make("meaningful_benefit")
    (said,) = alternatives.both_better(told | together(why_descriptive="The device guessed."))
    assert said.startswith("Together, only to describe: 89 % that on magnesium")
    assert "likely" not in said


def test_the_name_of_every_alternative_fits_a_phone() -> None:
    """Names are drawn uncut: a letter of the widest usual font takes 0.53 font sizes on average."""
    room = canvas.NARROW - 2 * canvas.PADDING
    assert [name for name in alternatives.IN_WORDS.values() if len(name) * 0.53 * canvas.FONT_SIZE > room] == []
