"""The effect pair by pair, and missing nights by arm, in words and tables that are the numbers."""

from copy import deepcopy
from typing import Any

import pytest
from tests.report.test_conduct import rows_of, text_of

from nof1.report import missing, over_time, sentences
from nof1.report.page import render_report

pytestmark = pytest.mark.usefixtures("undrawn")

SPREAD = {
    "prior": "HalfNormal(4)",
    "source": "between pairs: as wide as between periods",
    "unit": "min",
    "prior_median": 2.698,
    "prior_ci95": [0.125, 8.966],
    "median": 3.504,
    "ci95": [0.165, 10.54],
    "sd_ratio": 0.976,
    "is_learned": False,
}
PAIRS = {
    "unit": "min",
    "pairs": [
        {"block": 1, "difference": -13.94, "median": 4.132, "ci95": [-10.81, 16.02]},
        {"block": 3, "difference": 26.4, "median": 7.634, "ci95": [-4.5, 22.51]},
    ],
    "one_arm_only": [2],
    "sigma": SPREAD,
    "why_not": None,
}
DEPENDS = {
    "nights": 84,
    "missing": 10,
    "log_odds_ratio": {"median": 0.742, "ci95": [-0.35, 1.93]},
    "p_more": 0.9071,
    "flagged": None,
    "adjusted_for": ["alcohol_units"],
    "not_adjusted_for": {},
    "pareto_k": 0.1,
    "priors": [],
    "why_not": None,
}


def test_every_pair_stands_on_the_page_with_one_sentence(make: Any) -> None:
    """Rows of its own difference, the estimate and the interval; the sentence holds σ, its prior, and no claim."""
    result, tree = make("benefit")
    result["outcomes"][0]["over_time"] = deepcopy(PAIRS)
    page = render_report(result, tree)
    rows = rows_of(page)
    assert ["Difference, min", "Its own", "Estimate", "95 %"] in rows
    assert ["Pair 1", "−13.9", "4.1", "−10.8 to 16.0"] in rows
    assert ["Pair 3", "26.4", "7.6", "−4.5 to 22.5"] in rows
    said = over_time.caption(result["outcomes"][0]) or ""
    assert "makes no claim" in said
    assert "is 3.5 min (95 % 0.2 to 10.5), assumed before the trial 2.7 min (95 % 0.1 to 9.0)" in said
    assert said.endswith("(the nights hardly told more).")
    assert said in text_of(result, tree)


def test_a_spread_that_was_learned_is_not_called_unknown(make: Any) -> None:
    """The remark stands only where posterior and prior are much alike."""
    result, _ = make("benefit")
    outcome = result["outcomes"][0] | {"over_time": PAIRS | {"sigma": SPREAD | {"is_learned": True}}}
    assert "hardly told" not in (over_time.caption(outcome) or "")


def test_a_latency_s_pairs_are_ratios(make: Any) -> None:
    """Two decimals, and σ in log minutes."""
    result, _ = make("benefit")
    ratios = PAIRS | {
        "unit": "ratio",
        "pairs": [{"block": 1, "difference": 0.8234, "median": 0.9, "ci95": [0.6, 1.312]}],
        "sigma": SPREAD | {"unit": "log min", "median": 0.1234},
    }
    outcome = result["outcomes"][1] | {"over_time": ratios}
    assert over_time.table(outcome) == ("ratio", [("Pair 1", "0.82", "0.90", "0.60 to 1.31")])
    assert "is 0.12 log min" in (over_time.caption(outcome) or "")


def test_no_pairs_give_their_reason(make: Any) -> None:
    """The reason instead of a table; an older result, or one without an estimate, has neither."""
    result, tree = make("benefit")
    result["outcomes"][1]["over_time"] = PAIRS | {"pairs": [], "sigma": None, "why_not": "3 nights are beyond a limit."}
    result["outcomes"][0]["over_time"] = None
    text = text_of(result, tree)
    assert "No effect pair by pair: 3 nights are beyond a limit." in text
    assert "Pair 1" not in text
    del result["outcomes"][0]["over_time"]
    assert over_time.caption(result["outcomes"][0]) is None
    assert over_time.table(result["outcomes"][0])[1] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Nights go missing more often on magnesium than on placebo with a probability of 90 %: the odds are 2.10 "
             "times as high (95 % 0.70 to 6.89), weekday, alcohol units and the night before allowed for."),
        ({"p_more": 0.962, "flagged": "more", "adjusted_for": []}, "with a probability of 96 %: the odds are 2.10 "
         "times as high (95 % 0.70 to 6.89), weekday and the night before allowed for; take it as a warning that the "
         "used nights may not stand for the others."),
        ({"p_more": 0.021, "flagged": "fewer"}, "Nights go missing less often on magnesium than on placebo with a "
         "probability of 97 %"),
        ({"log_odds_ratio": {"median": 9.0, "ci95": [1.0, 90.0]}}, "100.00 times as high (95 % 2.72 to 100.00)"),
        ({"why_not": "The draws do not stand for the posterior.", "log_odds_ratio": None},
         "Whether nights go missing because of the arm is not told: The draws do not stand for the posterior."),
    ],
)  # fmt: skip
def test_missing_by_arm_is_one_sentence_beneath_the_table(make: Any, changes: dict[str, Any], said: str) -> None:
    """The direction, its probability, the odds, what is allowed for; a warning only where it is flagged."""
    result, tree = make("benefit")
    outcome = result["outcomes"][0]
    outcome["missing"]["depends_on_arm"] = DEPENDS | changes
    told = missing.depends_on_arm(outcome, result["arms"]) or ""
    assert said in told
    assert ("warning" in told) == bool(changes.get("flagged"))
    assert told in text_of(result, tree)


def test_where_no_night_is_missing_nothing_is_said_of_the_arm(make: Any) -> None:
    """Nor in a result of before it was asked."""
    result, _ = make("benefit")
    outcome = result["outcomes"][0]
    assert missing.depends_on_arm(outcome, result["arms"]) is None
    outcome["missing"]["depends_on_arm"] = DEPENDS | {"missing": 0, "why_not": "No night is missing.", "p_more": None}
    assert missing.depends_on_arm(outcome, result["arms"]) is None


def test_a_declared_set_and_declared_looks_are_told(make: Any) -> None:
    """Orders that the protocol declares are not called drawn; looks that it foresees stand behind the set."""
    result, _ = make("benefit")
    outcome = result["outcomes"][0]
    outcome["randomisation_test"] |= {"set_declared": True, "looks_declared": "after the third pair, by the custodian"}
    said = sentences.randomisation(outcome, result["arms"]) or ""
    assert "over all 64 orders that the protocol declares, p = 0.125" in said
    assert "drawn" not in said
    assert said.endswith(
        "Looks at the nights before the end were declared in the protocol: After the third pair, by the custodian."
    )
