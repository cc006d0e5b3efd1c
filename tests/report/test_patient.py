"""Tests of the patient's sheet: few words, and none that the probabilities do not bear."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.report import icons, number_line, patient
from nof1.report.rounding import percent


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("verdict", ["benefit", "worsening", "not_enough_to_tell", "descriptive_only", "not_usable"])
def test_every_verdict_says_what_next(make: Any, verdict: str) -> None:
    """Whatever was found, the sheet says what follows from it, and leaves no gap in a sentence."""
    said = patient.what_next(make(verdict)[0])
    assert said
    assert all("{" not in line and line.endswith(".") for line in said)


def test_expectation_is_told_where_it_could_be_the_cause(make: Any) -> None:
    """A direction found by somebody who knew what was taken comes with what it would take to exclude expectation."""
    assert patient.BLINDED_ONLY in patient.what_next(make("benefit", blinding="open label")[0])
    assert patient.BLINDED_ONLY not in patient.what_next(make("benefit")[0])


@pytest.mark.usefixtures("undrawn")
def test_numbers_without_a_verdict_and_failed_fits_have_no_icons(make: Any) -> None:
    """Icons are a claim of how sure one is: there are none where nothing is claimed."""
    for verdict in ("descriptive_only", "not_usable"):
        assert patient.sheet(make(verdict)[0])["findings"][0]["icons"] is None
    assert patient.sheet(make("not_enough_to_tell")[0])["findings"][0]["icons"] is not None


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_hundred_icons_are_within_one_of_the_probabilities(first: float, second: float) -> None:
    """The icons add up to a hundred, and each kind is less than one away from its hundredths of the probability."""
    better, worse = min(first, second), 1 - max(first, second)
    known = dict(zip(icons.LOOKS, (better, max(0.0, 1 - better - worse), worse), strict=True))
    shared = icons.counts({"probability": known})
    assert sum(shared.values()) == icons.HUNDRED
    for key, (name, _, _) in icons.LOOKS.items():
        assert abs(shared[name] - 100 * known[key]) < 1


def test_the_icons_are_drawn_as_many_as_counted(make: Any) -> None:
    """As many marks of each colour are drawn as the counts say, and the words beside them are those of the tables."""
    result, _ = make("benefit")
    outcome = result["outcomes"][0]
    figure, shared = icons.figure(outcome, result["arms"]), icons.counts(outcome)
    for name, colour, _ in icons.LOOKS.values():
        assert figure.wide.count(f'fill="{colour}"') == shared[name]
    for key, (_, told, _) in zip(icons.LOOKS, icons.legend(outcome, result["arms"]), strict=True):
        assert told == percent(outcome["probability"][key])
        assert told in figure.alternative


def test_the_shaded_zone_is_the_worthwhile_change_around_the_reference(make: Any) -> None:
    """In minutes it reaches as far on either side; as a ratio by the same factor; without a change there is none."""
    deep, latency = make("benefit")[0]["outcomes"]
    at = deep["levels"]["placebo"]["median"]
    assert number_line.about_the_same(deep) == (at - 10, at + 10)
    at = latency["levels"]["placebo"]["median"]
    assert number_line.about_the_same(latency) == pytest.approx((at * 0.8, at / 0.8))
    assert number_line.about_the_same(deep | {"worthwhile": None}) is None


@pytest.mark.usefixtures("undrawn")
def test_cautions_without_room_are_counted(make: Any) -> None:
    """Of ten deviations the sheet shows four and says how many more there are: none is dropped in silence."""
    result, _ = make("benefit")
    result["trial"]["deviations"] = [f"Deviation {n}." for n in range(10)]
    cautions = patient.sheet(result)["cautions"]
    assert cautions[:4] == [f"Deviation {n}." for n in range(4)]
    assert cautions[4:] == ["6 more such points stand in the record for clinicians."]


@pytest.mark.usefixtures("undrawn")
def test_the_sheet_says_what_its_trial_cannot_show(make: Any) -> None:
    """In the protocol's words; of two treatments at least that neither is a placebo; nothing of older results."""
    result, _ = make("benefit")
    assert patient.sheet(result)["fooled"][0] == "This trial cannot tell magnesium from glycine."
    result["protocol"] = {key: told for key, told in result["protocol"].items() if key != "shows"}
    assert patient.sheet(result)["fooled"][0].startswith("A wearable guesses")
    result["arms"] = [arm | {"reference": False} for arm in result["arms"]]
    assert patient.sheet(result)["fooled"][0] == patient.NO_REFERENCE


@pytest.mark.usefixtures("undrawn")
def test_doses_stand_on_the_sheet_and_few_of_them_before_all_else(make: Any) -> None:
    """What is known of the doses is counted; where hardly any was taken, that is the first thing said."""
    result, _ = make("no_worthwhile_difference")
    assert any(
        line.startswith("Doses: 120 were due; 115 are logged as taken") for line in patient.sheet(result)["sure"]
    )
    assert not any("doses are known" in line for line in patient.sheet(result)["cautions"])
    for counts in result["trial"]["doses"].values():
        counts |= {"taken": 2, "not_taken": 1, "unknown": 57}
    result["trial"]["deviations"] = ["Another device."]
    first, *_ = patient.sheet(result)["cautions"]
    assert first.startswith("Only 4 of 120 doses are known to have been taken (2 were not, 114 are unknown)")


def test_what_next_depends_on_what_was_found(make: Any) -> None:
    """A benefit is a reason to stay, a worsening is none; of two treatments one is preferred; three are all named where
    any contrast has a direction."""
    benefit, worsening = make("benefit")[0], make("worsening")[0]
    assert "reason enough to stay on magnesium, beside cost" in patient.what_next(benefit)[0]
    assert "magnesium made it worse" in patient.what_next(worsening)[0]
    for result, better, other in ((benefit, "magnesium", "placebo"), (worsening, "placebo", "magnesium")):
        result["arms"] = [arm | {"reference": False} for arm in result["arms"]]
        assert f"reason enough to prefer {better} to {other}," in patient.what_next(result)[0]
    benefit["arms"].append({"code": "citrate", "label": "Magnesium citrate", "reference": False})
    undecided = benefit["outcomes"][0] | {"verdict": "not_enough_to_tell", "more": None}
    benefit["outcomes"].insert(0, undecided)
    assert "Which of magnesium, placebo, citrate is worth going on with" in patient.what_next(benefit)[0]


@pytest.mark.usefixtures("undrawn")
def test_comparisons_are_counted_as_far_as_they_were_made(make: Any) -> None:
    """A fit that failed compared nothing."""
    assert any("2 comparisons were made" in line for line in patient.sheet(make("benefit")[0])["fooled"])
    assert not any("comparisons were made" in line for line in patient.sheet(make("not_usable")[0])["fooled"])
