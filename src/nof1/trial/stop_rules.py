"""Rules for stopping that the diary can answer: a symptom on so many evenings running.

Every other rule ("dozing off at the wheel") is repeated in its words, for only the person knows whether it holds.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from nof1.trial.diary import SEVERITIES

NUMBERS: Final = {word: n for n, word in enumerate(("two", "three", "four", "five", "six", "seven"), start=2)}
WATCHED: Final = re.compile(
    rf"(?:at least (?P<severity>{'|'.join(SEVERITIES[1:])}) )?(?P<symptom>\S.*?) on (?P<days>{'|'.join(NUMBERS)}|\d\d?)"
    r" (?:days|nights|evenings) running"
)
"""How a rule is written that nof1 watches."""


@dataclass(frozen=True, slots=True)
class RuleMet:
    """A rule for stopping that the diary says was met, from its first evening to its last."""

    rule: str
    first: date
    last: date

    @property
    def when(self) -> str:
        """The rule and its evenings, in a sentence's words."""
        return f"{self.rule} (evenings of {self.first} to {self.last})"


def rules_met(stop_if: Iterable[str], side_effects: pl.DataFrame) -> list[RuleMet]:
    """List where the diary says that a rule was met, by its first evening.

    Parameters
    ----------
    stop_if
        The protocol's rules. Watched are those like "diarrhoea on two days running" or "at least moderate sleepiness
        by day on 3 days running"; without a severity a mild symptom counts.
    side_effects
        As `nof1.trial.diary.current_side_effects` makes it.
    """
    found = [(rule, WATCHED.fullmatch(rule.strip().casefold())) for rule in stop_if]
    met = [one for rule, match in found if match for one in _met(rule.strip(), match, side_effects)]
    return sorted(met, key=lambda one: (one.first, one.rule))


def _met(rule: str, watched: re.Match[str], side_effects: pl.DataFrame) -> list[RuleMet]:
    severe = SEVERITIES[SEVERITIES.index(watched["severity"] or "mild") :]
    felt = side_effects.filter(pl.col("severity").is_in(severe)).select("night", "symptom").iter_rows()
    nights = sorted({night for night, symptom in felt if _words(watched["symptom"]) <= _words(symptom)})
    days = NUMBERS.get(watched["days"]) or int(watched["days"])
    return [RuleMet(rule, run[0], run[-1]) for run in _runs(nights) if len(run) >= days]


def _runs(nights: Sequence[date]) -> list[list[date]]:
    """Part nights in order into those that follow each other without a gap."""
    runs: list[list[date]] = []
    for night in nights:
        if runs and night - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(night)
        else:
            runs.append([night])
    return runs


def _words(text: str) -> set[str]:
    """The words of a symptom, in British and American spelling alike: diarrhoea, diarrhea."""
    return set(text.casefold().replace("oe", "e").replace("æ", "e").split())
