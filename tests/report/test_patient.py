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
