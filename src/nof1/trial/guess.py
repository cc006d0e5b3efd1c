"""Guesses: which arm a person thinks a period was, asked before anybody tells, to learn how well it was concealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What was thought of one period at one moment.

    Parameters
    ----------
    arm
        The code of the arm; None says that the person does not know, which is an answer too (Bang 2004,
        doi:10.1016/j.cct.2003.10.016).
    sure
        From 0, a coin toss, to 100, certain; None where the arm is.
    why
        In the person's words: a taste, an effect, a side effect, a feeling.
    """

    period: int
    arm: str | None
    sure: int | None
    why: str | None

    def to_payload(self) -> dict[str, Any]:
        """Return the guess as plain JSON values, for the record."""
        return {"period": self.period, "arm": self.arm, "sure": self.sure, "why": self.why}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Make the guess that `to_payload` wrote."""
        return cls(period=payload["period"], arm=payload["arm"], sure=payload["sure"], why=payload["why"])


def current_guesses(guesses: Sequence[Guess]) -> dict[int, Guess]:
    """Return the last guess of each period, by its number; the first stays on record."""
    return {guess.period: guess for guess in guesses}
