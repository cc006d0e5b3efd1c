"""The words, the table and the figure of a plan."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from nof1.model.verdict import Verdict
from nof1.report.plan import WORDS, advice, conclusions, plan_figure, plan_lines, plan_table, verdict_words


def chance(effect: float | None, **verdicts: float) -> dict[str, Any]:
    """The chances at one effect."""
    return {
        "effect": effect,
        "verdicts": {name: {"share": share, "error": 0.012} for name, share in verdicts.items()},
        "benefit": {"share": verdicts.get("benefit", 0.0), "error": 0.012},
        "direction": {"share": 0.34, "error": 0.01},
        "half_width": 9.26,
    }


@pytest.fixture
def planned() -> dict[str, Any]:
    """A plan as `nof1.study.plan` gives it."""
    return {
        "contrast": {"arm": "magnesium", "reference": "placebo"},
        "against_reference": True,
        "alike": (),
        "label": "deep sleep",
        "unit": "min",
        "design": {"blocks": 6, "period_nights": 10},
        "arms": 2,
        "nights": 120,
        "used_nights": 84,
        "noise": {
            "source": "own",
            "nights": 34,
            "first": "2026-01-05",
            "last": "2026-02-08",
            "sigma": 16.24,
            "sigma_ci95": (13.1, 20.4),
            "rho": 0.123,
            "sigma_period": 4.0,
            "missing": 0.08,
            "why_default": None,
        },
        "as_ratio": False,
        "worthwhile": 10.0,
        "worthwhile_why": "fixed in the protocol",
        "published": {"published": 6.4, "device": "Oura Ring 3", "share": 0.71, "effect": 4.544},
        "direction_from": 0.95,
        "detects_from": 0.5,
        "trials": 80,
        "told": {
            "by_effect": {
                "none": chance(0.0, not_enough_to_tell=0.995, benefit=0.005),
                "published": chance(4.544, not_enough_to_tell=0.9, benefit=0.1),
                "large": chance(20.0, meaningful_benefit=0.6, benefit=0.3, not_enough_to_tell=0.1),
                "prior": chance(None, not_enough_to_tell=1.0),
            },
            "detects": False,
            "enough": {
                "effect": 15.0,
                "most": 24,
                "blocks": 9,
                "nights": 180,
                "chance": {"share": 0.81, "error": 0.006},
            },
        },
    }


def said(planned: dict[str, Any]) -> str:
    """All that a plan says in sentences."""
    return "\n".join([*plan_lines(planned), *conclusions(planned)])


def test_every_verdict_has_a_row() -> None:
    """The table has a row for each verdict that a report can have."""
    from typing import get_args

    assert set(WORDS) == set(get_args(Verdict))


def test_the_table_fits_eighty_columns(planned: dict[str, Any]) -> None:
    """Five columns and their words stand on a screen of 80 characters, gaps included."""
    planned["told"]["by_effect"]["worthwhile"] = chance(10.0, benefit=1.0)
    headings, rows = plan_table(planned)
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(len(headings))]
    assert sum(widths) + 3 * (len(widths) - 1) <= 80
    assert all(len(row) == len(headings) for row in rows)


def test_the_table_says_what_was_simulated(planned: dict[str, Any]) -> None:
    """True effects, chances and the width of the interval stand under their headings."""
    headings, rows = plan_table(planned)
    table = {row[0]: dict(zip(headings[1:], row[1:], strict=True)) for row in rows}
    assert table["true effect, min"] == {"no effect": "0", "published": "+4.5", "large": "+20", "unknown": "drawn"}
    assert table["meaningful benefit"]["large"] == "60 %"
    assert table["benefit"]["no effect"] == "<1 %"
    assert table["95 % interval, ±"]["large"] == "9.3"


def test_the_sentences_say_noise_error_and_what_it_takes(planned: dict[str, Any]) -> None:
    """Whose nights, the Monte Carlo error, the published effect on this device, and the blocks for 80 %."""
    text = said(planned)
    for words in (
        "34 nights of your own",
        "16.2 min (95 % interval 13 to 20)",
        "±1.2 points (80 simulated trials",
        "of such a change Oura Ring 3 showed 0.71 (Robbins 2024): +4.5 min",
        "This design cannot detect the published effect",
        "is 34 %, under 50 %",
        "about 9 blocks (180 nights, chance 81 % ±0.6); this design has 6",
    ):
        assert words in text


def test_other_plans_are_told_otherwise(planned: dict[str, Any]) -> None:
    """An effect that is detected, a device that is unknown, default noise, too many blocks, nothing published."""
    planned["told"]["detects"] = True
    planned["published"]["device"] = None
    planned["noise"] |= {"source": "default", "why_default": "only 3 nights"}
    planned["told"]["enough"] |= {"blocks": None, "nights": None, "chance": None}
    planned["alike"] = ("citrate − placebo",)
    text = said(planned)
    assert "cannot detect" not in text
    assert "is 34 %, 50 % or more" in text
    assert "your device shows of it is not known" in text
    assert "by default, a cautious one" in text
    assert "(only 3 nights)" in text
    assert "more than 24 blocks" in text
    assert "citrate − placebo: the same chances" in text
    planned["published"], planned["told"]["enough"] = None, None
    text = said(planned)
    assert "No effect is published" in text
    assert "no benefit can be claimed" in text


@pytest.mark.parametrize(
    ("enough", "detects", "words"),
    [
        (
            {},
            False,
            "+15 min write blocks = 9 instead of 6: 180 nights; this design cannot detect the published effect.",
        ),
        ({"blocks": 6}, True, "this design is long enough: its chance of showing an effect of +15 min is about 80 %"),
        ({"blocks": None}, None, "even 24 blocks have no 80 % chance of showing an effect of +15 min: take an outcome"),
        (None, None, "In short: no number of nights lets this outcome show a benefit: fix a worthwhile change"),
    ],
)
def test_one_sentence_says_what_to_change(
    planned: dict[str, Any], enough: dict[str, Any] | None, detects: bool | None, words: str
) -> None:
    """The last line names the blocks to write, says that the design is long enough, or that no number of nights is."""
    told = planned["told"]
    planned["told"] = told | {"detects": detects, "enough": None if enough is None else told["enough"] | enough}
    said = advice(planned)
    assert words in said
    assert said.count(".") - said.count("0.") == 1
    assert ("published" in said) == (detects is not None)


def test_between_two_actives_nothing_is_a_benefit(planned: dict[str, Any]) -> None:
    """A result favours the one or the other; the words are all different."""
    planned |= {"against_reference": False, "contrast": {"arm": "bisglycinate", "reference": "citrate"}}
    words = verdict_words(planned)
    assert not any("benefit" in word or "worse" in word for word in words.values())
    assert len(set(words.values())) == len(words)
    assert "favours citrate" in words["worsening"]


def test_the_figure_draws_every_chance(planned: dict[str, Any]) -> None:
    """One bar an effect, a piece a verdict; its lengths are the shares, and the alternative tells them."""
    figure = plan_figure(planned)
    for svg in (figure.wide, figure.narrow):
        tree = ET.fromstring(svg)  # noqa: S314  our own drawing
        pieces = [
            path
            for group in tree.iter("{http://www.w3.org/2000/svg}g")
            if "mark-rect role-mark" in group.get("class", "")
            for path in group.iter("{http://www.w3.org/2000/svg}path")
        ]
        assert len(pieces) == 8
        for words in ("no effect (0 min)", "published (+4.5 min)", "large (+20 min)", "unknown"):
            assert f">{words}<" in svg
    assert "meaningful benefit 60 %" in figure.alternative


def test_a_latency_is_told_in_ratios(planned: dict[str, Any]) -> None:
    """Effects, the width of the interval and the worthwhile change are ratios; minutes stand only where published."""
    told = {"none": chance(0.0), "published": chance(-0.232), "large": chance(-0.446)}
    for one in told.values():
        one["verdicts"] = {"not_enough_to_tell": {"share": 1.0, "error": 0.01}}
        one["half_width"] = 0.278
    planned |= {"as_ratio": True, "unit": "ratio", "worthwhile": 0.2231, "label": "time to fall asleep"}
    planned["worthwhile_why"] = "as a ratio: the median is 22 minutes"
    planned["told"] |= {"by_effect": told}
    planned["told"]["enough"] |= {"effect": -0.335}
    headings, rows = plan_table(planned)
    table = {row[0]: dict(zip(headings[1:], row[1:], strict=True)) for row in rows}
    assert table["true effect, ratio"] == {"no effect": "×1.00", "published": "×0.79", "large": "×0.64"}
    assert set(table["95 % interval, ×÷"].values()) == {"1.32"}
    text = said(planned)
    for words in (
        "Worthwhile: ×0.80 (as a ratio: the median is 22",
        "benefit at ×0.72, 1.5 times",
        "as ×0.79",
        "log min",
    ):
        assert words in text
    assert "large (×0.64)" in plan_figure(planned).alternative
    planned["worthwhile"], planned["told"]["enough"] = None, None
    planned["worthwhile_why"] = "no worthwhile change is claimed: the median is 12 minutes, under 20"
    assert "No benefit can be claimed, however many nights there are: no worthwhile" in said(planned)
