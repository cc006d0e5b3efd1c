"""The baseline keeps what was said, and adds up what was eaten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import UsageError
from nof1.trial.baseline import AGE_BANDS, FOODS, RANGES, SAID, Baseline

NUMBERS = {name: st.none() | st.floats(bounds.low, bounds.high) for name, bounds in RANGES.items() if name != "isi"}
BASELINES = st.builds(
    Baseline,
    age_band=st.none() | st.sampled_from(AGE_BANDS),
    isi=st.none() | st.integers(0, 28),
    depression=st.none() | st.sampled_from(SAID),
    medicines=st.none() | st.lists(st.sampled_from(["iron", "lithium"])).map(tuple),
    servings=st.dictionaries(st.sampled_from(sorted(FOODS)), st.floats(0, 100)),
    **NUMBERS,
)


@given(BASELINES)
def test_a_baseline_survives_the_record(baseline: Baseline) -> None:
    """Written as plain values and read back, it is the same."""
    assert Baseline.from_payload(baseline.to_payload()) == baseline


@given(BASELINES, BASELINES)
def test_what_is_not_said_again_stays(first: Baseline, later: Baseline) -> None:
    """Each answer is the last one given."""
    now = first.with_said(later)
    for name in ("age_band", "isi", "depression", "egfr", "medicines", "serum_mmol_l", "red_cell_mmol_l"):
        said = getattr(later, name)
        assert getattr(now, name) == (getattr(first, name) if said is None else said)
    assert now.servings == {**first.servings, **later.servings}


@given(st.dictionaries(st.sampled_from(sorted(FOODS)), st.integers(0, 14), min_size=1))
def test_the_table_does_the_sum(servings: dict[str, int]) -> None:
    """A week's servings, each with its milligrams, over seven days."""
    week = [FOODS[food].magnesium_mg for food, number in servings.items() for _ in range(number)]
    assert Baseline(servings=dict(servings)).dietary_magnesium_mg == pytest.approx(sum(week) / 7)


def test_no_food_named_is_not_no_magnesium() -> None:
    """Missing is not zero."""
    assert Baseline().dietary_magnesium_mg is None
    assert Baseline(servings={"milk": 0}).dietary_magnesium_mg == 0


@pytest.mark.parametrize(
    ("isi", "word"),
    [
        *((0, "no insomnia"), (7, "no insomnia"), (8, "subthreshold"), (14, "subthreshold")),
        *((15, "moderate"), (21, "moderate"), (22, "severe"), (28, "severe"), (None, None)),
    ],
)
def test_the_severity_has_its_published_word(isi: int | None, word: str | None) -> None:
    """The cut-offs are those of Morin 2011."""
    assert Baseline(isi=isi).insomnia == word


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"isi": 29}, "isi: must be at most 28"),
        ({"egfr": float("nan")}, "egfr: must be a number"),
        ({"serum_mmol_l": 20.0}, "serum_mmol_l"),
        ({"age_band": "40"}, "40-49"),
        ({"depression": "maybe"}, "not said"),
        ({"servings": {"almnds": 2}}, r"did you mean almonds\?"),
        ({"servings": {"almonds": float("nan")}}, "cannot be meant"),
        ({"servings": {"almonds": 1000}}, "cannot be meant"),
        ({"medicines": ("",)}, "no name"),
        ({"medicines": ("a\x1b[2J",)}, "no name"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, object], complaint: str) -> None:
    """Each slip is told with its field."""
    with pytest.raises(UsageError, match=complaint):
        Baseline(**said)  # type: ignore[arg-type]
