"""Which rules for stopping nof1 watches, and what meets them."""

from datetime import date, timedelta

import polars as pl
import pytest

from nof1.study.protocols import list_protocols
from nof1.trial.diary import SIDE_EFFECT_COLUMNS
from nof1.trial.stop_rules import WATCHED, rules_met

FIRST = date(2026, 1, 5)


def felt(*rows: tuple[int, str, str]) -> pl.DataFrame:
    """Side effects by day, symptom and severity."""
    nights = [(FIRST + timedelta(days=day), symptom, severity) for day, symptom, severity in rows]
    return pl.DataFrame(nights, schema=dict(SIDE_EFFECT_COLUMNS), orient="row")


@pytest.mark.parametrize(
    ("rule", "days", "severity", "is_met"),
    [
        ("diarrhoea on two days running", (0, 1), "mild", True),
        ("diarrhoea on two days running", (0, 2), "severe", False),
        ("diarrhoea on two days running", (0, 1), "none", False),
        ("Diarrhoea on 3 nights running", (0, 1), "severe", False),
        ("Diarrhoea on 3 nights running", (1, 2, 0), "severe", True),
        ("at least moderate diarrhoea on two days running", (0, 1), "mild", False),
        ("at least moderate diarrhoea on two days running", (0, 1), "moderate", True),
        ("nausea on two days running", (0, 1), "severe", False),
        ("fainting", (0, 1), "severe", False),
    ],
)
def test_a_rule_is_met_by_its_symptom_on_so_many_days_running(
    rule: str, days: tuple[int, ...], severity: str, is_met: bool
) -> None:
    """From the severity that it names, without a gap; the order of the rows changes nothing."""
    assert bool(rules_met([rule], felt(*((day, "diarrhoea", severity) for day in days)))) is is_met


def test_each_run_is_told_with_its_evenings() -> None:
    """Two runs of one rule are two, and the one that went on longer is one."""
    days = (0, 1, 2, 5, 6)
    first, second = rules_met(["diarrhoea on two days running"], felt(*((day, "diarrhea", "mild") for day in days)))
    assert first.when == "diarrhoea on two days running (evenings of 2026-01-05 to 2026-01-07)"
    assert (second.first, second.last) == (FIRST + timedelta(days=5), FIRST + timedelta(days=6))


def test_the_library_asks_for_what_its_rules_watch() -> None:
    """A rule that nof1 could watch is of a symptom that the protocol asks for every night."""
    watched = 0
    for protocol in list_protocols():
        for rule in protocol.safety.stop_if:
            if found := WATCHED.fullmatch(rule):
                assert found["symptom"] in protocol.safety.log, (protocol.id, rule)
                watched += 1
    assert watched > 1
