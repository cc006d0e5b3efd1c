"""A row of the index says what was found, in the words of the page, and what to look at first."""

from typing import Any

from nof1.report import sentences
from nof1.report.cautions import CHANGED
from nof1.report.overview import analysed_row, render_overview


def test_a_row_tells_every_headline(make: Any) -> None:
    """One headline a contrast, the same as on the page, and no flag where there is nothing to look at."""
    result, _ = make("benefit")
    result["trial"]["deviations"] = []
    row = analysed_row(result, "P01/report.html")
    arms, blinding = result["arms"], result["blinding"]
    assert row.found == tuple(sentences.headline(one, arms, blinding=blinding) for one in result["outcomes"])
    assert row.flags == ()
    assert all(line in render_overview([row]).replace("\u00a0", " ") for line in row.found)


def test_a_row_tells_what_to_look_at(make: Any) -> None:
    """A fit that failed its checks, and deviations, are told."""
    result, _ = make("not_usable")
    result["trial"]["deviations"] = ["Another device.", "An early end."]
    flags = analysed_row(result, "P01/report.html").flags
    assert any("so their draws are not an answer" in flag for flag in flags)
    assert flags[-2] == "Another device."
    assert flags[-1] == "1 more such point on the page"


def test_a_row_tells_first_that_the_record_has_changed(make: Any) -> None:
    """Whatever else there is to look at: the verdict beside it is one of yesterday."""
    result, _ = make("benefit")
    result["trial"] |= {"registered_before_first_night": False, "deviations": [f"{CHANGED} (sleep).", "An early end."]}
    flags = analysed_row(result, "P01/report.html").flags
    assert flags[0] == f"{CHANGED} (sleep)."
    assert "The protocol was registered on" in flags[1]
    assert flags[2:] == ("1 more such point on the page",)
