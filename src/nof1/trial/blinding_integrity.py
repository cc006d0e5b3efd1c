"""Blinding integrity: did the guesses know more than chance knows?

The two published indices are here because readers ask for them, and neither decides anything: of six guesses an arm, a
Bang's index beyond ±0.3 is found in nine of ten trials that nobody saw through. What decides is the posterior
probability that a guess is right more often than by chance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np

from nof1.trial.guess import Guess
from nof1.trial.schedule import Period

FLAGGED: Final = 0.95
"""From this probability of guessing better than chance the blinding is doubted (design, §1.5)."""

JEFFREYS: Final = 0.5
"""Each cell of the Dirichlet prior behind the interval of Bang's index."""
STRATA: Final = 2_000
"""Quantiles of the share of guesses that the interval is averaged over; it moves by less than 0.001 with more."""

TWO: Final = 2

DRAWN_TOGETHER: Final[Mapping[str, Callable[[Period], int]]] = MappingProxyType(
    {
        "randomised-pairs": lambda period: period.block,
        "alternating": lambda _: 1,
        "counterbalanced": lambda period: (period.block + 1) // 2,
        "permuted-blocks": lambda period: period.block,
        "unrestricted": lambda period: period.number,
    }
)
"""By scheme, which periods one draw settled: who has seen through one of them knows the others, if the scheme is known.

So the guesses of a pair are one trial and not two, those of a strictly alternating schedule are one altogether. With
every guess a trial of its own, somebody who tosses one coin a pair and is consistent would be doubted in 11 % of
six-pair trials that are blind; with one trial a pair in 2 %. An unrestricted order is drawn at once too, but one period
tells little of another: each counts.
"""


@dataclass(frozen=True, slots=True)
class BangIndex:
    """Bang's index of one arm: (right − wrong) ÷ all answers (Bang 2004, doi:10.1016/j.cct.2003.10.016).

    Parameters
    ----------
    index
        1: always right, 0: as often right as wrong, −1: always wrong.
    ci95
        Equal-tailed, by a Dirichlet(½, ½, ½) prior, and up to the end of the scale where all answers are alike right or
        wrong (as Brown 2001 of one proportion, doi:10.1214/ss/1009213286). Bang's own interval is a point there.
    """

    index: float
    ci95: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmGuesses:
    """What was answered about the periods of one arm; `not_said` counts its periods without an answer.

    `bang` is None without an answer, and with three or more arms, for which it is not defined.
    """

    right: int
    wrong: int
    dont_know: int
    not_said: int
    bang: BangIndex | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindingIntegrity:
    """What the guesses say about the blinding.

    Parameters
    ----------
    by_arm
        By the arm's code.
    james
        James's index: 1 all answers are "don't know", ½ guessed at random, 0 all right (James 1996,
        doi:10.1002/(SICI)1097-0258(19960715)15:13<1421::AID-SIM266>3.0.CO;2-H). None where it is not defined: without
        an answer, or where all who guessed named one arm and had it.
    chance
        How often a guess is right by chance: 1 ÷ number of arms.
    trials, right
        Independent trials with an arm named in at least one guess (`DRAWN_TOGETHER`), and how many of them were right;
        one of whose guesses only some were right counts for that share.
    p_above_chance
        Posterior probability that a trial is right more often than by chance, from a Beta(1, arms − 1) prior; None
        without a trial.
    flagged
        Whether that is `FLAGGED` or more.
    could_flag
        Whether so many trials could be flagged at all: of two arms, four at least.
    """

    by_arm: dict[str, ArmGuesses]
    james: float | None
    chance: float
    trials: int
    right: float
    p_above_chance: float | None
    flagged: bool
    could_flag: bool


def blinding_integrity(
    guesses: Mapping[int, Guess], periods: Sequence[Period], scheme: str, arms: Sequence[str]
) -> BlindingIntegrity:
    """Hold the guesses against the arms that the periods had.

    Parameters
    ----------
    guesses
        As they stand (`nof1.trial.guess.current_guesses`), by the number of the period.
    periods
        Of the schedule, unsealed.
    scheme
        By its name in the protocol.
    arms
        The codes of all arms of the trial.
    """
    had = {period.number: period for period in periods}
    answers = {code: [guesses.get(n) for n, period in had.items() if period.arm == code] for code in arms}
    shares = _shares_right(guesses, had, DRAWN_TOGETHER[scheme])
    trials, right = len(shares), float(sum(shares))
    above = p_above_chance(right, trials, len(arms)) if trials else None
    return BlindingIntegrity(
        by_arm={code: _arm_guesses(code, said, two_arms=len(arms) == TWO) for code, said in answers.items()},
        james=james_index(_table(answers)),
        chance=1 / len(arms),
        trials=trials,
        right=right,
        p_above_chance=above,
        flagged=above is not None and above >= FLAGGED,
        could_flag=p_above_chance(trials, trials, len(arms)) >= FLAGGED,
    )


def _shares_right(
    guesses: Mapping[int, Guess], had: Mapping[int, Period], trial_of: Callable[[Period], int]
) -> list[Fraction]:
    """For each independent trial in which an arm was named, the share of those guesses that was right."""
    found: dict[int, list[bool]] = {}
    for number, period in had.items():
        guess = guesses.get(number)
        if guess is not None and guess.arm is not None:
            found.setdefault(trial_of(period), []).append(guess.arm == period.arm)
    return [Fraction(sum(one), len(one)) for one in found.values()]


def p_above_chance(right: float, trials: int, arms: int) -> float:
    """Return P(p > 1 ÷ arms) for p ~ Beta(1, arms − 1), whose mean is chance, after so many right of these trials."""
    from scipy.special import betainc

    return float(betainc(arms - 1 + trials - right, 1 + right, 1 - 1 / arms))


def _arm_guesses(code: str, said: Sequence[Guess | None], *, two_arms: bool) -> ArmGuesses:
    answers = [guess for guess in said if guess is not None]
    right = sum(guess.arm == code for guess in answers)
    dont_know = sum(guess.arm is None for guess in answers)
    wrong = len(answers) - right - dont_know
    return ArmGuesses(
        right=right,
        wrong=wrong,
        dont_know=dont_know,
        not_said=len(said) - len(answers),
        bang=bang_index(right, wrong, dont_know) if answers and two_arms else None,
    )


def bang_index(right: int, wrong: int, dont_know: int) -> BangIndex:
    """Return Bang's index of the answers about one arm, of which there is at least one."""
    index = (right - wrong) / (right + wrong + dont_know)
    low, high = _interval(right + JEFFREYS, wrong + JEFFREYS, dont_know + JEFFREYS)
    return BangIndex(index, (min(low, index), max(high, index)))


def _interval(right: float, wrong: float, dont_know: float) -> tuple[float, float]:
    """Return the 95 % interval of p(right) − p(wrong) under a Dirichlet distribution.

    The share of guesses is Beta, and so, independently, is the share of them that is right.
    """
    from scipy.optimize import brentq
    from scipy.special import betainc, betaincinv

    named = betaincinv(right + wrong, dont_know, (np.arange(STRATA) + 0.5) / STRATA)

    def below(difference: float) -> float:
        return float(np.mean(betainc(right, wrong, np.clip((1 + difference / named) / 2, 0, 1))))

    low, high = (float(brentq(lambda at, q=q: below(at) - q, -1, 1)) for q in (0.025, 0.975))
    return low, high


type Table = Mapping[str, Mapping[str | None, int]]
"""How often each answer, an arm's code or None for "don't know", was given about each arm."""


def _table(answers: Mapping[str, Sequence[Guess | None]]) -> Table:
    said = {code: [guess.arm for guess in own if guess is not None] for code, own in answers.items()}
    return {code: {answer: own.count(answer) for answer in (*answers, None)} for code, own in said.items()}


def james_index(table: Table) -> float | None:
    """Return James's index: ½ (1 + P(don't know) + P(an arm is named) × how much more often wrong than by chance).

    By chance: as often as the same guesses would be wrong if they had nothing to do with the arms. All wrong guesses
    weigh the same, so that their weight does not matter.
    """
    arms = list(table)
    answers = sum(sum(own.values()) for own in table.values())
    named = {code: sum(table[code][guess] for guess in arms) for code in arms}
    total = sum(named.values())
    if not answers:
        return None
    if not total:
        return 1.0
    guessed = {guess: sum(table[code][guess] for code in arms) for guess in arms}
    wrong = 1 - sum(table[code][code] for code in arms) / total
    by_chance = 1 - sum(named[code] * guessed[code] for code in arms) / total**2
    if not by_chance:
        return None
    share = total / answers
    return (1 + (1 - share) + share * (wrong - by_chance) / by_chance) / 2
