"""CENT 2015 as a table: filled from the record, MISSING where nothing is known, never guessed."""

import re
from dataclasses import fields, replace
from typing import Any

import pytest
from tests.cases import FIXED_PROTOCOL
from tests.report.test_hostile import HOSTILE
from tests.report.test_page import read

from nof1.report.checklist import Behind, checklist, missing_words
from nof1.report.page import render_report
from nof1.report.plan import KeptPlan
from nof1.trial.about import About
from nof1.trial.protocol import parse_protocol

BEHIND = Behind(
    protocol=parse_protocol(FIXED_PROTOCOL.format(transition=2, prior_sd=10)),
    periods=(("magnesium", 10), ("placebo", 9)),
    conduct=(),
    ended_early=None,
    baseline=(),
)
ABOUT = About(
    background="Magnesium helped a friend.", setting="At home.", eligibility="Insomnia for two years.",
    justification="As many as a winter holds.", ethics="Own care.", funding="Nobody.", registration="None.",
)  # fmt: skip
FROM_ABOUT = {"2a", "4a", "4b", "4c", "7a", "23", "25"}


def told(result: Any, behind: Behind) -> dict[str, str | None]:
    """The text of every item by its number."""
    return {item.number: item.text for item in checklist(result, behind)}


def test_every_item_of_cent_is_there_once(make: Any) -> None:
    """Items 1 to 25 of the statement stand in order, no number twice."""
    numbers = [item.number for item in checklist(make("benefit")[0], BEHIND)]
    assert len(set(numbers)) == len(numbers)
    assert list(dict.fromkeys(number.rstrip("abc") for number in numbers)) == [str(n) for n in range(1, 26)]


def test_what_nobody_said_is_missing(make: Any) -> None:
    """A protocol that says nothing of itself leaves its items MISSING; words of its own fill exactly these."""
    result = make("benefit")[0]
    silent, spoken = BEHIND, replace(BEHIND, protocol=replace(BEHIND.protocol, about=ABOUT))
    before = {number for number, text in told(result, silent).items() if text is None}
    after = {number for number, text in told(result, spoken).items() if text is None}
    assert before >= FROM_ABOUT
    assert before - after == FROM_ABOUT
    assert told(result, spoken)["4a"] == "Insomnia for two years."


def test_items_hold_the_numbers_of_the_result(make: Any) -> None:
    """Nights, losses, dates and the sequence are those of result and record."""
    result = make("benefit")[0]
    said, counts = told(result, BEHIND), result["outcomes"][0]["nights"]
    assert f"{counts['used']} nights (" in (said["16"] or "")
    assert (said["13b"] or "").startswith(f"{counts['planned'] - counts['recorded']} of {counts['planned']} nights")
    assert said["8c"] == "In the order lived: magnesium, placebo."
    assert (said["13a"] or "").startswith("2 periods of 9 to 10 nights")
    assert result["trial"]["last_night"] in (said["14a"] or "")


def test_an_early_end_and_the_person_are_told_where_they_are_known(make: Any) -> None:
    """What came between fills its items; without it one says so, and the person is MISSING."""
    result = make("benefit")[0]
    assert told(result, BEHIND)["14b"] == "Not ended early."
    assert told(result, BEHIND)["15"] is None
    lived = replace(BEHIND, ended_early="2026-04-01", baseline=("age: 30-39",), conduct=("Paused for a journey",))
    said = told(result, lived)
    assert "2026-04-01" in (said["14b"] or "")
    assert said["15"] == "age: 30-39."
    assert "Paused for a journey." in (said["3b"] or "")


def test_a_plan_that_was_kept_tells_how_the_length_was_chosen(make: Any) -> None:
    """Beside what the protocol says of it; without either the item is MISSING, and names the command."""
    result = make("benefit")[0]
    (missing,) = [item for item in checklist(result, BEHIND) if item.number == "7a"]
    assert (missing.text, missing.where) == (None, "with nof1 plan --keep, before the start")
    verdicts = {"benefit": 0.3, "meaningful_benefit": 0.05, "not_enough_to_tell": 0.65}
    effects = {"worthwhile": {"effect": 10.0, "half_width": 9.9, "verdicts": verdicts}}
    enough = {"effect": 15.0, "blocks": None, "most": 40}
    kept = KeptPlan(on="2026-11-20", noise="own", nights=31, effects=effects, enough=enough)
    spoken = replace(BEHIND, plan=kept, protocol=replace(BEHIND.protocol, about=ABOUT))
    assert told(result, spoken)["7a"] == (
        "As many as a winter holds. Reckoned on 2026-11-20, before the draw, by simulation from 31 nights of the "
        "person's own. Where the true effect is +10 min, a benefit is found with a chance of 35 %. For an 80 % "
        "chance at +15 min it would take more than 40 blocks; this trial has 6."
    )


def test_a_failed_fit_claims_no_effects(make: Any) -> None:
    """Item 17 says that there are none where no fit may be used."""
    result = make("not_usable")[0]
    result["outcomes"] = result["outcomes"][:1]
    assert (told(result, BEHIND)["17a"] or "").startswith("Not applicable")


def test_a_title_that_does_not_say_what_it_is_is_missing(make: Any) -> None:
    """Item 1a asks for the design in the title, and takes no other title for it."""
    result = make("benefit")[0]
    result["protocol"] = result["protocol"] | {"title": "Magnesium and I"}
    assert told(result, BEHIND)["1a"] is None


@pytest.mark.usefixtures("undrawn")
def test_the_page_shows_every_item(make: Any) -> None:
    """The record for the clinician holds each item, MISSING in so many words, and counts them; the sheet has none."""
    result, tree = make("benefit")
    items = checklist(result, BEHIND)
    text = read(render_report(result, tree, behind=BEHIND))[0]
    assert missing_words(items) in text
    assert text.count("MISSING : to be said") + text.count("MISSING: to be said") == sum(
        item.text is None and bool(item.where) for item in items
    )
    assert "CENT" not in read(render_report(result, tree, behind=BEHIND, only="patient"))[0]
    assert "CENT" not in read(render_report(result, tree))[0]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("turn", range(0, len(HOSTILE), 10))
def test_hostile_words_of_the_record_stay_text(make: Any, turn: int) -> None:
    """Whatever the protocol says of itself, the baseline or a reason on record: no tag, no attribute, no control."""
    result, tree = make("benefit")
    names = [field.name for field in fields(About)]
    quiet = replace(
        BEHIND,
        protocol=replace(BEHIND.protocol, about=About(**dict.fromkeys(names, "x"))),
        conduct=("x",),
        baseline=("x",),
    )
    strings = [*HOSTILE[turn:], *HOSTILE[:turn]]
    hostile = replace(
        quiet,
        protocol=replace(BEHIND.protocol, about=About(**dict(zip(names, strings, strict=False)))),
        periods=((strings[15], 10), (strings[16], 10)),
        conduct=tuple(strings[17:20]),
        baseline=tuple(strings[20:23]),
    )
    pages = [read(render_report(result, tree, behind=behind)) for behind in (quiet, hostile)]
    found, expected = ({(tag, *sorted(attributes)) for tag, attributes in page[1]} for page in reversed(pages))
    assert found == expected
    assert not re.search("[\x00-\x08\x1b\u202a-\u202e\u2066-\u2069\u2028\u2029]", pages[1][0])
