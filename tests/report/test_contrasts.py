"""Results of three arms in words and figures: each contrast under its own name, with its own draws."""

import json
import re
from copy import deepcopy
from html import unescape
from typing import Any

import pytest
import xarray as xr
from tests.cases import picture_widths
from tests.report.conftest import without_numbers
from tests.report.test_page import PLACES

from nof1.report import alternatives, checklist, contrasts, figures, patient, sentences
from nof1.report.lines import lines
from nof1.report.page import render_report
from nof1.report.rounding import fixed, percent

THIRD = {"code": "citrate", "label": "Magnesium citrate", "reference": False}
BEST = {"arm": "citrate", "error": 0.304, "probability": {"magnesium": 0.296, "citrate": 0.696, "placebo": 0.008}}


def on_axis(svg: str) -> list[float]:
    """The numbers along the axis of a figure."""
    return [float(text.replace("−", "-")) for text in re.findall(r">([−-]?\d+)</text>", svg)]


@pytest.fixture
def three(make: Any) -> tuple[Any, xr.DataTree]:
    """Deep sleep of three arms: magnesium and citrate against placebo, the second 30 minutes above the first."""
    result, tree = make("benefit")
    first = result["outcomes"][0] | {"best_arm": BEST}
    second = deepcopy(first) | {"arm": "citrate"}
    names = ["magnesium − placebo", "citrate − placebo"]
    groups = {name: tree["deep_min"][name].to_dataset() for name in tree["deep_min"].children}
    for name in ("posterior", "prior"):
        groups[name] = xr.concat([groups[name], groups[name] + 30], xr.Variable("contrast", names))
    told = result | {"arms": [*result["arms"], THIRD], "outcomes": [first, second, result["outcomes"][1]]}
    return told, xr.DataTree.from_dict({f"/deep_min/{name}": group for name, group in groups.items()})


def test_the_best_arm_is_said_after_the_last_contrast_of_its_outcome(three: Any) -> None:
    """Once an outcome, ranked, with the probability of choosing wrong; nothing where there is none."""
    outcomes = three[0]["outcomes"]
    assert [alternatives.best_arm(outcomes, place) is None for place in range(3)] == [True, False, True]
    assert alternatives.best_arm(outcomes, 1) == (
        "Which arm has the best deep sleep: citrate 69 %, magnesium 30 %, placebo under 1 %. That another one is "
        "better than citrate has a probability of 31 %."
    )
    assert sum("Which arm has the best" in line for line in lines(three[0])) == 1


def test_the_best_arm_is_said_where_the_last_contrast_has_no_numbers(three: Any) -> None:
    """An arm with too few nights takes its own contrast away, and not what is known of the others."""
    outcomes = three[0]["outcomes"]
    outcomes[1] |= {"best_arm": None, "verdict": "not_usable"}
    assert "citrate 69 %" in (alternatives.best_arm(outcomes, 1) or "")


@pytest.mark.usefixtures("undrawn")
def test_a_contrast_without_numbers_takes_nothing_from_the_others(three: Any) -> None:
    """An arm with too few nights has its reason on page and terminal, and nobody else's numbers are lost."""
    result, tree = three
    result["outcomes"][1] = without_numbers(result["outcomes"][1]) | {"best_arm": None}
    result["outcomes"][0]["best_arm"] = {
        "arm": "magnesium",
        "error": 0.1,
        "probability": {"magnesium": 0.9, "placebo": 0.1},
    }
    page = unescape(re.sub(r"\s+", " ", render_report(result, tree)))
    for told in (page, " ".join(lines(result))):
        assert "No claim about deep sleep on citrate and on placebo." in told
        assert "deep sleep is longer on magnesium than on placebo" in told
        assert "citrate cannot be told, for too few nights" in told


def test_pictures_keep_their_width_with_the_longest_names(three: Any) -> None:
    """Arms of 32 letters are cut in a legend and a title where two of them stand beside each other."""
    result, tree = three
    longest = {arm["code"]: f"{arm['code']}_{'m' * 32}"[:32] for arm in result["arms"]}
    told = json.loads(
        re.sub("|".join(f'(?<="){code}(?=")' for code in longest), lambda m: longest[m[0]], json.dumps(result))
    )
    names = [f"{longest[arm]} − {longest['placebo']}" for arm in ("magnesium", "citrate")]
    for name in ("posterior", "prior"):
        tree[f"deep_min/{name}"] = xr.DataTree(tree[f"deep_min/{name}"].to_dataset().assign_coords(contrast=names))
    widths = picture_widths(render_report(told, tree))
    assert {min(PLACES, key=lambda place: abs(place - width)) for width in widths} == set(PLACES)
    assert [width for width in widths if min(abs(place - width) for place in PLACES) > 2] == []


def test_the_checklist_counts_every_arm(three: Any) -> None:
    """Of several contrasts each arm's nights are counted once."""
    result, _ = three
    for outcome in result["outcomes"][:2]:
        outcome["nights"] = outcome["nights"] | {"used_by_arm": {outcome["arm"]: 30, "placebo": 31}}
        told = {"planned": 60, "recorded": 50, "used": 30, "excluded": {}}
        outcome["missing"] = outcome["missing"] | {"by_arm": {outcome["arm"]: told, "placebo": told | {"recorded": 49}}}
    assert checklist._losses(result, None) == "31 of 180 nights on an arm were not recorded."  # type: ignore[arg-type]
    used = "Deep sleep: 91 nights (30 on magnesium, 31 on placebo, 30 on citrate)."
    assert checklist._analysed(result, None).startswith(used)  # type: ignore[arg-type]


def test_each_contrast_is_drawn_from_its_own_draws(three: Any) -> None:
    """The posterior of citrate − placebo is citrate's and not magnesium's."""
    result, tree = three
    one, other = (
        figures.posterior_figure(outcome, result["arms"], tree["deep_min"]) for outcome in result["outcomes"][:2]
    )
    assert "citrate − placebo" in other.wide
    assert max(on_axis(other.wide)) > max(on_axis(one.wide)) + 15


@pytest.mark.usefixtures("undrawn")
def test_terminal_and_page_say_the_same_of_three_arms(three: Any) -> None:
    """Every line that nof1 analyse prints stands on the page; what is true of all contrasts is said once."""
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", render_report(*three))).replace("\u00a0", " ").split())
    assert [line for line in lines(three[0]) if line not in text] == []
    shared = sentences.levels(three[0]["outcomes"][0])
    assert sum(shared in line for line in lines(three[0])) <= 1


@pytest.mark.usefixtures("undrawn")
def test_every_contrast_keeps_its_numbers_side_by_side(three: Any) -> None:
    """Effects, levels and probabilities of each contrast stand in the tables of the one section of their outcome."""
    result, tree = three
    page = render_report(result, tree).replace("\u00a0", " ")
    section = page.partition('class="evidence several"')[2].partition("</section>")[0]
    for outcome in result["outcomes"][:2]:
        for summary in (outcome["effect"], *outcome["levels"].values()):
            assert f"<td>{fixed(summary['median'], 1)}</td>" in section
            assert f"<td>{' to '.join(fixed(end, 1) for end in summary['ci95'])}</td>" in section
        for p in outcome["probability"].values():
            assert f">{percent(p)} {sentences.probability_words(p)}</td>" in section
    assert page.count('class="evidence several"') == 1


@pytest.mark.usefixtures("undrawn")
def test_contrasts_without_a_verdict_have_one_headline(three: Any) -> None:
    """On the sheet an outcome of which nothing is claimed is named once, with its arms in their order."""
    result, _ = three
    for outcome in result["outcomes"][:2]:
        outcome |= {"verdict": "descriptive_only", "why_descriptive": "The device guessed."}
    (first, *_) = patient.sheet(result)["findings"]
    assert [one["headline"] for one in first["each"]] == [
        "Numbers without a verdict: deep sleep on magnesium, placebo and citrate."
    ]


def test_what_is_said_of_a_contrast_stands_under_its_name() -> None:
    """A short code is found in any sentence: only the contrast's whole name makes its own unnecessary."""
    alike = [{"arm": arm, "reference": "c"} for arm in ("a", "b")]
    said = contrasts.once(alike, ["on a night like c it is so", "b − c is otherwise"])
    assert said == ["a − c: on a night like c it is so", "b − c is otherwise"]
