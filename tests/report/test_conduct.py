"""What stands beside the effects: guesses, side effects, missing nights, doses taken; in words that are the numbers."""

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.test_page import read

from nof1.report import guesses, missing, side_effects
from nof1.report.lines import lines
from nof1.report.page import render_report
from nof1.report.rounding import fixed, percent

pytestmark = pytest.mark.usefixtures("undrawn")


def text_of(result: Any, tree: Any) -> str:
    """The words of the page."""
    return read(render_report(result, tree))[0]


def rows_of(page: str) -> list[list[str]]:
    """Every row of every table of a page, as the texts of its cells."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    return [[read(cell)[0] for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def test_every_guess_and_index_on_the_page_is_the_result_s(make: Any) -> None:
    """Counts, Bang's index with its interval, James's index, the probability, and each guess with its reason."""
    result, tree = make("benefit")
    page = render_report(result, tree)
    rows, text, found = rows_of(page), read(page)[0], result["blinding_integrity"]
    for code, arm in found["by_arm"].items():
        low, high = (fixed(end, 2) for end in arm["bang"]["ci95"])
        counts = [str(arm[key]) for key in ("right", "wrong", "dont_know", "not_said")]
        assert [code, *counts, f"{fixed(arm['bang']['index'], 2)} ({low} to {high})"] in rows
    assert "Of 12 periods 2 were guessed right and 1 wrong; “don’t know” was said of 1, nothing of 8." in text
    assert f"({percent(found['p_above_chance'])})" in text
    assert "James’s index is 0.62" in text
    assert "1.5 of 2 were right" in text
    assert ["1", "magnesium", "magnesium", "60", "softer stools"] in rows
    assert ["4", "magnesium", "don’t know", "–", "–"] in rows


def test_a_doubted_blinding_is_a_caution_on_the_page_and_in_the_terminal(make: Any) -> None:
    """One plain sentence at the top; where the guesses knew no more than chance there is none."""
    result, tree = make("benefit")
    assert not any("told apart" in line for line in lines(result) if "probability" in line)
    result["blinding_integrity"] |= {"flagged": True, "p_above_chance": 0.9922}
    (said,) = [line for line in lines(result) if line.startswith("The treatments may have been told apart")]
    assert "over 99 %" in said
    assert "expectation may have caused a difference" in said
    text = text_of(result, tree)
    assert text.index(said) < text.index("What was found")


def test_too_few_guesses_give_no_clean_bill(make: Any) -> None:
    """Where no answer could have raised a doubt the page says so."""
    result, _ = make("benefit")
    assert "could not have shown" in (guesses.told(result) or "")
    result["blinding_integrity"]["could_flag"] = True
    assert "could not have shown" not in (guesses.told(result) or "")


@pytest.mark.parametrize(("asked", "says"), [(True, "No guess is on record"), (False, "asks for no guesses")])
def test_no_guesses_are_said_to_be_none(make: Any, asked: bool, says: str) -> None:
    """A concealed trial without guesses says that nobody can tell; no table, no index."""
    result, tree = make("benefit")
    result["blinding_integrity"] |= {"guesses": [], "asked": asked, "p_above_chance": None, "james": None}
    text = text_of(result, tree)
    assert says in text
    assert "Bang" not in text


def test_an_open_trial_has_no_guesses_to_tell(make: Any) -> None:
    """Who knows the arm cannot guess it, and the page has no such section."""
    result, tree = make("benefit", blinding="open label")
    assert "Was it concealed?" not in text_of(result, tree)


def test_side_effects_are_counted_of_the_nights_that_answer(make: Any) -> None:
    """Each arm with its own nights, by severity; what was asked and never felt is named, what is unknown too."""
    said = side_effects.lines(make("benefit")[0])
    assert said[0] == (
        "Nausea: on magnesium 9 of 39 nights (6 mild, 2 moderate, 1 severe); on placebo 3 of 43 nights (3 mild); "
        "on no treatment 0 of 5 nights."
    )
    assert said[1] == (
        "Never felt where it was answered: cramps (nights: 53 on magnesium, 50 on placebo, 4 on no treatment)."
    )
    assert said[2].startswith("Nights with a diary entry: 54 of 60 on magnesium, 51 of 60 on placebo, 5 of 7 on no")


def test_every_count_of_side_effects_stands_on_the_page(make: Any) -> None:
    """The patient's sentences, and for the clinician one row a side effect and arm that adds up."""
    result, tree = make("benefit")
    page = render_report(result, tree)
    text, rows = read(page)[0], rows_of(page)
    assert all(line in text for line in side_effects.lines(result))
    for one in result["side_effects"]:
        for name, nights in one["symptoms"].items():
            felt = [nights[grade] for grade in ("mild", "moderate", "severe")]
            rest = [nights["none"], nights["not_said"]]
            on = f"{name.capitalize()}, {one['arm'] or 'no treatment'}"
            assert [on, " / ".join(map(str, felt)), *map(str, rest), str(one["with_entry"])] in rows
            assert sum(felt) + sum(rest) == one["with_entry"]


def test_a_silent_diary_is_not_a_clean_one(make: Any) -> None:
    """No entry at all, or entries without a word on side effects: in neither case is it said that there were none."""
    result, _ = make("benefit")
    for one in result["side_effects"]:
        one["symptoms"] = {}
    assert "that none was felt is not known" in " ".join(side_effects.lines(result))
    for one in result["side_effects"]:
        one["with_entry"] = 0
    assert side_effects.lines(result) == ["Nothing was written into the diary, so nothing is known of side effects."]


@given(st.lists(st.lists(st.integers(0, 40), min_size=5, max_size=5), min_size=2, max_size=2))
def test_the_words_on_side_effects_hold_the_counts_whatever_they_are(counts: list[list[int]]) -> None:
    """For any counts the numbers in the sentence are those of the result."""
    keys = ("mild", "moderate", "severe", "none", "not_said")
    told = [
        {"arm": arm, "nights": n, "with_entry": n, "symptoms": {"nausea": dict(zip(keys, own, strict=True))}}
        for arm, own, n in zip(("magnesium", "placebo"), counts, map(sum, counts), strict=True)
    ]
    said = " ".join(side_effects.lines({"side_effects": told}))
    felt = [sum(own[:3]) for own in counts]
    for arm, own, nights in zip(("magnesium", "placebo"), counts, felt, strict=True):
        if any(felt):
            assert f"on {arm} {nights} of {sum(own[:4])} nights" in said
        for grade, count in zip(keys[:3], own, strict=False):
            assert (f"{count} {grade}" in said) or count == 0
    denied = [own[3] for own in counts]
    told = f"Never felt where it was answered: nausea (nights: {denied[0]} on magnesium, {denied[1]} on placebo)."
    assert (told in said) is (not any(felt) and any(denied))


def test_nights_stand_by_arm_and_reason(make: Any) -> None:
    """Every row of the table of nights has the count of all and of each arm, and the arms add up."""
    result, tree = make("benefit")
    rows = rows_of(render_report(result, tree))
    for outcome in result["outcomes"]:
        head, told = missing.table(outcome)
        assert head == ["All", "magnesium", "placebo"]
        assert ["Nights", *head] in rows
        for name, _, (total, *arms) in told:
            assert [name, str(total), *map(str, arms)] in rows
            assert total == sum(arms)
        assert len(told) == 3 + len(outcome["nights"]["excluded"])


def test_the_tipping_point_is_told_as_it_is(make: Any) -> None:
    """The shares and the four distances; a factor for a latency; what the diary says of lost nights."""
    result, tree = make("benefit")
    outcome, arms = result["outcomes"][0], result["arms"]
    said = missing.tipping(outcome, arms) or ""
    shares = [f"{fixed(100 * one['missing'], 0)} % on {code}" for code, one in outcome["missing"]["by_arm"].items()]
    assert all(share in said for share in shares)
    assert "against the finding, by 12.3 min on both arms; before nothing were claimed" in said
    assert "whether deep sleep is longer on magnesium" in said
    assert "by 41.3 min on both arms, by 73.5 min if only those on magnesium" in said
    assert "by 94.2 min if only those on placebo" in said
    assert said in text_of(result, tree)
    assert "travel on 2 of placebo" in (missing.said_in_the_diary(outcome) or "")
    latency = deepcopy(result["outcomes"][1])
    latency["missing"]["tipping_point"] |= {"direction": "worse", "verdict": 1.1, "both": 1.372, "arm": 1.884}
    latency["missing"]["tipping_point"]["reference"] = 1e9
    assert "is longer on magnesium" in (missing.tipping(latency, arms) or "")
    assert "by a factor of 1.37 on both arms" in (missing.tipping(latency, arms) or "")
    assert "by a factor of over 100" in (missing.tipping(latency, arms) or "")


def test_nothing_to_tip_is_said_in_words(make: Any) -> None:
    """No direction, no night missing, one arm complete, no verdict: each its own sentence, or none."""
    result, _ = make("benefit")
    deep, latency = result["outcomes"]
    arms = result["arms"]
    assert missing.tipping(latency, arms) == "No direction is claimed that missing nights could undo."
    assert missing.tipping(deep | {"verdict": "descriptive_only"}, arms) is None
    assert missing.tipping(make("not_usable")[0]["outcomes"][0], arms) is None
    one_arm = deepcopy(deep)
    one_arm["missing"]["by_arm"]["magnesium"]["missing"] = 0.0
    one_arm["missing"]["tipping_point"] |= {"both": 94.21, "arm": None, "reference": 94.21}
    assert "against the finding, by 12.3 min; before nothing were claimed" in (missing.tipping(one_arm, arms) or "")
    for one in deep["missing"]["by_arm"].values():
        one["missing"] = 0.0
    assert (missing.tipping(deep, arms) or "").startswith("No night is missing but the first ones")


def test_the_effect_of_the_dose_taken_stands_in_the_table_with_what_it_assumes(make: Any) -> None:
    """Minutes or a ratio, with its intervals; the share taken; that no dose acts on later nights."""
    result, tree = make("benefit")
    page = render_report(result, tree)
    rows, text = rows_of(page), read(page)[0]
    for outcome, sign, decimals in zip(result["outcomes"], ("−", "/"), (1, 2), strict=True):
        effect = outcome["complier"]["effect"]
        cells = [fixed(effect["median"], decimals)] + [
            " to ".join(fixed(end, decimals) for end in effect[key]) for key in ("ci50", "ci95")
        ]
        unit = "min" if sign == "−" else "ratio"
        assert [f"magnesium {sign} placebo, of the dose taken, {unit}", *cells] in rows
    said = missing.complier(result["outcomes"][0], result["arms"]) or ""
    assert said in text
    assert "taken on 37 of its used nights, not on 2, unknown on 1" in said
    assert "on 93 % of the nights (87 % to 97 %)" in said
    assert "none taken on placebo" in said
    assert "no dose acts on later nights" in said


def test_no_effect_of_doses_gives_its_reason(make: Any) -> None:
    """Why it is not told stands in its place, and the table has no such row."""
    result, tree = make("benefit")
    for outcome in result["outcomes"]:
        outcome["complier"] |= {"effect": None, "uptake": None, "why_not": "Most doses are unknown."}
    text = text_of(result, tree)
    assert text.count("No effect of the dose taken (complier effect): Most doses are unknown.") == 2
    assert "of the dose taken, min" not in text


def test_results_of_before_have_a_page_still(make: Any) -> None:
    """Without these keys the page shows the nights used by arm as it did, and nothing else of them."""
    result, tree = make("benefit")
    del result["blinding_integrity"], result["side_effects"]
    for outcome in result["outcomes"]:
        del outcome["missing"], outcome["complier"]
    page = render_report(result, tree)
    used = result["outcomes"][0]["nights"]["used_by_arm"]["magnesium"]
    assert ["used on magnesium", str(used)] in rows_of(page)
    assert "Side effects" not in read(page)[0]


HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[31m"


def test_hostile_reasons_and_symptoms_stay_text(make: Any) -> None:
    """What a person wrote as reason, symptom or question is shown as text."""
    result, tree = make("benefit")
    tags = {tag for tag, _ in read(render_report(result, tree))[1]}
    result["blinding_integrity"]["guesses"][0]["why"] = HOSTILE
    for one in result["side_effects"]:
        one["symptoms"] = {HOSTILE: one["symptoms"]["nausea"]}
    result["outcomes"][0]["missing"]["by_arm"]["magnesium"]["diary_says"] = {HOSTILE: 3}
    page = render_report(result, tree)
    text, found = read(page)
    assert {tag for tag, _ in found} == tags
    assert text.count("<img src=x onerror=alert(1)>") >= 3
    assert not {"\x1b", "\u202e"} & set(page)
