"""Ten thousand random posteriors: one verdict each, in the design's order, and no word or number against it."""

import re
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import pytest

from nof1.model.verdict import Probabilities, decide
from nof1.report import icons, patient, sentences
from nof1.report.page import render_report
from nof1.report.rounding import percent, whole_percent
from nof1.trial.protocol import AnalysisRules

POSTERIORS: Final = 10_000
WORTHWHILE: Final = 10.0
ARMS: Final = [{"code": "salt", "label": "Salt", "reference": False}, {"code": "none", "label": "-", "reference": True}]
LADDER: Final = (
    ("meaningful_benefit", lambda p: p["p_better"] >= 0.95 and p["p_better_worthwhile"] >= 0.8),
    ("benefit", lambda p: p["p_better"] >= 0.95 and p["p_better_worthwhile"] >= 0.5),
    ("meaningful_worsening", lambda p: p["p_worse"] >= 0.95 and p["p_worse_worthwhile"] >= 0.8),
    ("worsening", lambda p: p["p_worse"] >= 0.95 and p["p_worse_worthwhile"] >= 0.5),
    ("no_worthwhile_difference", lambda p: p["p_no_worthwhile_difference"] >= 0.975),
    ("better_size_unclear", lambda p: p["p_better"] >= 0.975),
    ("worse_size_unclear", lambda p: p["p_worse"] >= 0.95),
    ("not_enough_to_tell", lambda _: True),
)
"""The design's order of verdicts, written down a second time so that the product cannot change it unseen."""


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    """Make the outcome of each random posterior: normal in minutes, centred anywhere, as wide as anything."""
    rng = np.random.default_rng(20260731)
    centres, sds = rng.uniform(-30, 30, POSTERIORS), np.exp(rng.uniform(-1, 3, POSTERIORS))
    higher = rng.random(POSTERIORS) < 0.5
    return [_outcome(*one) for one in zip(centres.tolist(), sds.tolist(), higher.tolist(), strict=True)]


def _outcome(centre: float, sd: float, higher: bool) -> dict[str, Any]:
    turned = centre if higher else -centre
    below, above = (NormalDist(turned, sd).cdf(end) for end in (-WORTHWHILE, WORTHWHILE))
    worse = NormalDist(turned, sd).cdf(0)
    probability = {
        "p_better": 1 - worse,
        "p_better_worthwhile": 1 - above,
        "p_worse": worse,
        "p_worse_worthwhile": below,
        "p_no_worthwhile_difference": above - below,
    }
    verdict = decide(Probabilities(**probability), AnalysisRules())
    more = {"pairs": 1 + int(sd), "chance": probability["p_better"], "is_enough": higher}
    counts = {"planned": 120, "recorded": 110, "used": 78, "excluded": {}, "used_by_arm": {"salt": 39, "none": 39}}
    return {
        "measure": "deep_min",
        "label": "deep sleep",
        "role": "primary",
        "unit": "min",
        "better": "higher" if higher else "lower",
        "arm": "salt",
        "reference": "none",
        "worthwhile": WORTHWHILE,
        "worthwhile_ratio": None,
        "worthwhile_why": None,
        "ratio": None,
        "effect": {"median": centre, "ci95": [centre - 1.96 * sd, centre + 1.96 * sd]},
        "levels": {"salt": {"median": 72 + centre}, "none": {"median": 72.0}},
        "probability": probability,
        "verdict": verdict,
        "more": more if verdict == "not_enough_to_tell" else None,
        "nights": counts,
        "why_not_usable": None,
        "why_descriptive": None,
    }


def test_each_posterior_has_the_first_verdict_that_holds(told: list[dict[str, Any]]) -> None:
    """The verdict is the first of the design's order whose probabilities are reached, and all eight occur."""
    for outcome in told:
        assert outcome["verdict"] == next(name for name, holds in LADDER if holds(outcome["probability"]))
    assert {outcome["verdict"] for outcome in told} == {name for name, _ in LADDER}


def test_the_words_never_contradict_the_probabilities(told: list[dict[str, Any]]) -> None:
    """A claimed direction is the probable one, is called at least extremely likely, and no verdict claims the other."""
    for outcome in told:
        words, p, verdict = sentences.contrast(outcome, ARMS), outcome["probability"], outcome["verdict"]
        headline, evidence = (
            sentences.headline(outcome, ARMS, blinding="double-blind"),
            sentences.evidence(outcome, ARMS),
        )
        if verdict in sentences.BETTER or verdict in sentences.WORSE:
            claimed, other = (words.better, words.worse) if verdict in sentences.BETTER else (words.worse, words.better)
            assert f"is {claimed} on salt" in headline
            assert f" {other} " not in f"{headline} {evidence}"
            assert re.match(r"It is (extremely likely|almost certain) \((9[5-9]|over 99) %\)", evidence)
        else:
            assert not re.search(rf"\b({words.better}|{words.worse})\b", headline)
        if verdict == "no_worthwhile_difference":
            assert p["p_no_worthwhile_difference"] > max(p["p_better_worthwhile"], p["p_worse_worthwhile"])


def test_every_number_in_the_sentences_is_one_of_the_result(told: list[dict[str, Any]]) -> None:
    """After the stated rounding no number is said that is not a probability, a minute or a count of the outcome."""
    for outcome in told:
        said = " ".join(sentences.finding(outcome, ARMS, blinding="double-blind"))
        shares = {p for key in outcome["probability"] if (p := percent(outcome["probability"][key]))} | {"95 %"}
        assert {found[0] for found in re.finditer(r"(?:over |under )?\d+ %", said)} <= shares
        effect = outcome["effect"]
        minutes = {abs(round(value)) for value in (effect["median"], *effect["ci95"])}
        minutes |= {abs(round(level["median"])) for level in outcome["levels"].values()} | {10, 1}
        assert {int(found) for found in re.findall(r"(\d+) min", said)} <= minutes
        assert {int(found) for found in re.findall(r"\d+(?= on | planned| were)", said)} <= {39, 78, 110, 120}


def test_the_icons_and_what_next_go_with_the_verdict(told: list[dict[str, Any]]) -> None:
    """The icons' words are the percentages of the sentences, most icons stand for what a verdict of size claims."""
    most = {"meaningful_benefit": "better", "meaningful_worsening": "worse", "no_worthwhile_difference": "same"}
    for outcome in told:
        shares, counted = icons.legend(outcome, ARMS), icons.counts(outcome)
        assert [share for _, share, _ in shares] == [percent(outcome["probability"][key]) for key in icons.LOOKS]
        if outcome["verdict"] in most:
            assert max(counted, key=lambda kind: counted[kind]) == most[outcome["verdict"]]
        assert patient.what_next({"outcomes": [outcome], "arms": ARMS, "blinding": "double-blind"})


NUMBER: Final = re.compile(r"(?<![\w.:/-])−?\d+(?:\.\d+)?(?![\w:/-])(?!\.\d)")
FIXED: Final = {
    "1",
    "0",
    "0.5",
    "−1",
    "100",
    "50",
    "95",
    "99",
    "66",
    "34",
    "90",
    "10",
    "5",
    "1.00",
    "0.00",
    "4",
    "2018",
}
"""Numbers of the page's own captions and of its table of words for probabilities."""


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in (key, *_leaves(part))]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]


def _shown(value: float) -> set[str]:
    """Every way in which the page may show a number: rounded to up to three places, or as a percentage."""
    kinds = {f"{round(number, places) or 0.0:.{places}f}" for number in (value, abs(value)) for places in range(4)}
    kinds |= {f"{100 * abs(value):.0f}", f"{abs(value):.3g}", f"{value:g}"}
    kinds |= {str(whole_percent(value)), str(100 - whole_percent(value))} if 0 <= value <= 1 else set()
    return {kind.replace("-", "−") for kind in kinds}


@pytest.mark.usefixtures("undrawn")
def test_every_number_on_the_page_is_one_of_the_result(make: Any) -> None:
    """No number in the page's text comes from anywhere but the result, its own words and fixed captions."""
    result, tree = make("benefit")
    leaves = _leaves({key: part for key, part in result.items() if key != "provenance"})
    known = {text for leaf in leaves if isinstance(leaf, int | float) for text in _shown(leaf)} | FIXED
    known |= {number for leaf in leaves if isinstance(leaf, str) for number in NUMBER.findall(leaf)}
    known |= {"25", "20", str(sum(one["guess"] is not None for one in result["blinding_integrity"]["guesses"]))}
    doses = list(result["trial"]["doses"].values())
    known |= {str(sum(arm[key] for arm in doses)) for key in ("taken", "not_taken", "unknown")}
    by_arm = [nights for one in result["side_effects"] for nights in one["symptoms"].values()]
    known |= {str(sum(nights[answer] for answer in ("none", "mild", "moderate", "severe"))) for nights in by_arm}
    page = render_report(result, tree).split("Provenance", maxsplit=1)[0]
    text = re.sub(r"<[^>]*>", " ", page.split("</style>", maxsplit=1)[1]).replace("\u00a0", " ").replace("&#39;", "’")
    unknown = [number for number in NUMBER.findall(text) if number not in known]
    assert len(NUMBER.findall(text)) > 200
    assert unknown == []
