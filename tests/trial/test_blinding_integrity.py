"""Guesses held against the arms: the published indices as published, and a doubt that chance rarely raises."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nof1.trial import blinding_integrity as module
from nof1.trial.blinding_integrity import (
    DRAWN_TOGETHER,
    FLAGGED,
    BlindingIntegrity,
    bang_index,
    blinding_integrity,
    james_index,
    p_above_chance,
)
from nof1.trial.guess import Guess
from nof1.trial.schedule import Period
from nof1.trial.scheme import FIXED, SCHEMES, Sequences

PAIR = ("Mg", "Pl")
THREE = ("A", "B", "C")
FIRST = date(2026, 1, 5)


def periods_of(sequence: Iterable[str], arms: int = 2) -> list[Period]:
    """Periods of three nights, a block for every so many of them."""
    return [Period(n + 1, n // arms + 1, arm, FIRST + timedelta(days=3 * n), 3) for n, arm in enumerate(sequence)]


def guessed(answers: Iterable[str | None]) -> dict[int, Guess]:
    """One answer a period, in order; ``?`` is no answer at all."""
    return {
        n: Guess(period=n, arm=arm, sure=None if arm is None else 50, why=None)
        for n, arm in enumerate(answers, start=1)
        if arm != "?"
    }


def found(sequence: str, answers: str, scheme: str = "randomised-pairs") -> BlindingIntegrity:
    """Judge answers (M, P, - for "don't know", ? for none) about a sequence of M and P."""
    arm = {"M": "Mg", "P": "Pl", "-": None, "?": "?"}
    periods = periods_of(str(arm[letter]) for letter in sequence)
    return blinding_integrity(guessed(arm[letter] for letter in answers), periods, scheme, PAIR)


def sequences(scheme: str, arms: tuple[str, ...], blocks: int) -> Iterator[tuple[str, ...]]:
    """Every sequence that a scheme can give."""
    rule = SCHEMES[scheme]
    assert rule is not None
    return iter(Sequences(rule, arms, blocks))


@pytest.fixture
def without_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Bang's index out, for tests that judge hundreds of orders and ask for something else."""
    monkeypatch.setattr(module, "bang_index", lambda *_: None)


@pytest.mark.parametrize(
    ("right", "wrong", "dont_know", "index", "ci95"),
    [(48, 4, 330, 0.115, (0.080, 0.150)), (30, 22, 319, 0.022, (-0.016, 0.060))],
)
def test_bangs_index_is_the_published_one(
    right: int, wrong: int, dont_know: int, index: float, ci95: tuple[float, float]
) -> None:
    """The investigators of Houweling 2014 (table 2), as the package BlindingIndex.jl prints them: 382 and 371 answers.

    Of so many the interval here and Bang's own differ by less than 0.002.
    """
    said = bang_index(right, wrong, dont_know)
    assert said.index == pytest.approx(index, abs=5e-4)
    assert said.ci95 == pytest.approx(ci95, abs=2e-3)


def test_jamess_index_is_the_published_one() -> None:
    """The same answers: 0.896."""
    houweling = {"t": {"t": 48, "p": 4, None: 330}, "p": {"t": 22, "p": 30, None: 319}}
    assert james_index(houweling) == pytest.approx(0.896, abs=5e-4)


def james_by_definition(rows: list[list[int]]) -> float | None:
    """James's index as the paper defines it: a kappa of disagreement over the cells, with the weights 0, ½, 1.

    Parameters
    ----------
    rows
        Answers (treatment, placebo, don't know) × arms (treatment, placebo), as in the paper's table.
    """
    total = sum(map(sum, rows))
    dont_know = sum(rows[2]) / total
    if dont_know == 1:
        return 1.0
    weights = ((0, 0.5), (0.5, 0))
    columns = [rows[0][j] + rows[1][j] for j in range(2)]
    cells = list(product(range(2), range(2)))
    seen = sum(weights[i][j] * rows[i][j] / total / (1 - dont_know) for i, j in cells)
    by_chance = sum(
        weights[i][j] * (sum(rows[i]) / total) * (columns[j] / total) / (1 - dont_know) ** 2 for i, j in cells
    )
    return None if by_chance == 0 else (1 + dont_know + (1 - dont_know) * (seen - by_chance) / by_chance) / 2


def test_both_indices_follow_their_definitions_in_every_small_table() -> None:
    """All 1,224 ways in which up to four answers an arm can fall: what the definitions give, or undefined as they."""
    splits = [(r, w, d) for r in range(5) for w in range(5 - r) for d in range(5 - r - w)]
    checked = 0
    for (right, wrong, unsure), (right_p, wrong_p, unsure_p) in product(splits, splits):
        table = {"t": {"t": right, "p": wrong, None: unsure}, "p": {"t": wrong_p, "p": right_p, None: unsure_p}}
        if sum(sum(own.values()) for own in table.values()) == 0:
            assert james_index(table) is None
            continue
        expected = james_by_definition([[right, wrong_p], [wrong, right_p], [unsure, unsure_p]])
        assert james_index(table) == (None if expected is None else pytest.approx(expected))
        checked += 1
    assert checked == 35**2 - 1
    for right, wrong, unsure in splits[1:]:
        answers = right + wrong + unsure
        named = right + wrong
        bang = (2 * right / named - 1) * named / answers if named else 0.0
        assert bang_index(right, wrong, unsure).index == pytest.approx(bang)


@settings(max_examples=25)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_the_interval_holds_the_index_and_mirrors(right: int, wrong: int, dont_know: int) -> None:
    """It lies within −1 and 1 around the index, and exchanging right and wrong mirrors it."""
    if right + wrong + dont_know == 0:
        return
    one, other = bang_index(right, wrong, dont_know), bang_index(wrong, right, dont_know)
    assert -1 <= one.ci95[0] <= one.index <= one.ci95[1] <= 1
    assert one.ci95[0] < one.ci95[1]
    assert (-one.ci95[1], -one.ci95[0]) == pytest.approx(other.ci95, abs=1e-3)


def test_the_interval_of_six_answers_covers_as_it_says() -> None:
    """Over true shares of right, wrong and don't know on a grid, 95 % on average, and nowhere inside it under 80 %."""
    splits = [(r, w, 6 - r - w) for r in range(7) for w in range(7 - r)]
    intervals = {split: bang_index(*split).ci95 for split in splits}
    grid = [(r / 12, w / 12) for r in range(1, 11) for w in range(1, 12 - r)]
    covered = []
    for right, wrong in grid:
        unsure = 1 - right - wrong
        chances = {(r, w, d): comb(6, r) * comb(6 - r, w) * right**r * wrong**w * unsure**d for r, w, d in splits}
        covered.append(
            sum(p for split, p in chances.items() if intervals[split][0] <= right - wrong <= intervals[split][1])
        )
    assert sum(covered) / len(covered) == pytest.approx(0.95, abs=0.02)
    assert min(covered) > 0.8


def test_bangs_index_beyond_a_third_is_no_sign_of_anything() -> None:
    """With six tosses of a coin an arm, one of the two indices lies beyond ±0.3 nine times in ten: it flags nothing."""
    chance = {right: comb(6, right) / 64 for right in range(7)}
    beyond = sum(
        chance[one] * chance[other]
        for one, other in product(range(7), range(7))
        if any(abs(bang_index(right, 6 - right, 0).index) > 0.3 for right in (one, other))
    )
    assert beyond == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("pairs", range(1, 13))
def test_blind_guesses_are_rarely_doubted(pairs: int) -> None:
    """Somebody who tosses a coin a pair and is consistent is doubted in at most 7.5 % of trials of any length."""
    doubted = sum(comb(pairs, right) for right in range(pairs + 1) if p_above_chance(right, pairs, 2) >= FLAGGED)
    assert doubted / 2**pairs <= 0.075


@pytest.mark.usefixtures("without_intervals")
def test_every_way_to_guess_blindly_is_doubted_rarely() -> None:
    """Whatever somebody answers who knows nothing: over all orders of four pairs at most one in sixteen is doubted."""
    orders = list(sequences("randomised-pairs", PAIR, 4))
    for answers in product(("Mg", "Pl", None), repeat=4):
        said = guessed([*answers, *answers[::-1]])
        flags = [blinding_integrity(said, periods_of(order), "randomised-pairs", PAIR).flagged for order in orders]
        assert sum(flags) / len(flags) <= 1 / 16


def test_the_posterior_is_that_of_a_binomial_tail() -> None:
    """For two arms and whole trials, P(p > ½) is the chance that one more toss than trials gives at most so many."""
    for trials, right in ((t, r) for t in range(9) for r in range(t + 1)):
        tail = sum(comb(trials + 1, k) for k in range(right + 1)) / 2 ** (trials + 1)
        assert p_above_chance(right, trials, 2) == pytest.approx(tail)


def test_before_any_trial_no_number_of_arms_leans_far() -> None:
    """The prior's mean is chance: of two arms P is exactly one half, of three it is near."""
    assert p_above_chance(0, 0, 2) == 0.5
    assert p_above_chance(0, 0, 3) == pytest.approx(4 / 9)


def test_a_pair_is_one_trial() -> None:
    """Both right and one right of one answer count one, one of two a half, a pair of "don't know" is none."""
    said = found("MPPMMPPM", "MPMMM-?-")
    assert (said.trials, said.right) == (3, 2.5)
    assert found("MPPM", "--?-").trials == 0
    assert found("MPPM", "--?-").p_above_chance is None


def test_six_pairs_guessed_right_are_doubted_and_five_are_not() -> None:
    """And of three pairs nothing could be: the page says so instead of a clean bill."""
    assert found("MPPMMPPMMPPM", "MPPMMPPMMPPM").flagged
    five = found("MPPMMPPMMPPM", "MPPMMPPMMPMP")
    assert not five.flagged
    assert five.could_flag
    three = found("MPPMMP", "MPPMMP")
    assert (three.flagged, three.could_flag) == (False, False)


def test_answers_are_counted_by_arm() -> None:
    """Right, wrong, don't know and nothing said, each of the periods that had the arm."""
    said = found("MPPMMP", "MMPP-?").by_arm
    counts = {code: (one.right, one.wrong, one.dont_know, one.not_said) for code, one in said.items()}
    assert counts == {"Mg": (1, 1, 1, 0), "Pl": (1, 1, 0, 1)}


def test_a_period_that_a_pause_cut_is_one_period() -> None:
    """Its two parts carry one number, and its guess counts once."""
    whole, rest = periods_of(["Mg", "Pl"])
    parts = [whole, Period(1, 1, "Mg", FIRST + timedelta(days=30), 2), rest]
    said = blinding_integrity(guessed(["Mg", "Mg"]), parts, "randomised-pairs", PAIR)
    assert (said.by_arm["Mg"].right, said.by_arm["Pl"].wrong, said.right) == (1, 1, 0.5)


def test_without_an_answer_nothing_is_said() -> None:
    """No index and no probability, and every period counts as not answered."""
    said = found("MPPM", "????")
    assert (said.james, said.p_above_chance, said.flagged) == (None, None, False)
    assert {code: (one.not_said, one.bang) for code, one in said.by_arm.items()} == {"Mg": (2, None), "Pl": (2, None)}


def test_every_scheme_that_can_be_sealed_has_its_rule() -> None:
    """A schedule that was brought along is never sealed; all others say what one draw settles."""
    assert set(DRAWN_TOGETHER) == set(SCHEMES) - {FIXED}


@pytest.mark.usefixtures("without_intervals")
@pytest.mark.parametrize(("scheme", "trials"), [("randomised-pairs", 4), ("counterbalanced", 2), ("alternating", 1)])
def test_who_knows_the_scheme_is_right_or_wrong_in_a_whole_trial(scheme: str, trials: int) -> None:
    """Where the answers are an order that could have been drawn, each trial is wholly right or wholly wrong."""
    orders = list(sequences(scheme, PAIR, 4))
    for answers, order in product(orders, orders):
        said = blinding_integrity(guessed(answers), periods_of(order), scheme, PAIR)
        assert said.trials == trials
        assert said.right == round(said.right)
    assert {blinding_integrity(guessed(orders[0]), periods_of(order), scheme, PAIR).right for order in orders} == set(
        range(trials + 1)
    )


def test_an_alternating_order_can_never_be_doubted() -> None:
    """Twelve right guesses of a strict alternation are one lucky toss."""
    said = found("MP" * 6, "MP" * 6, "alternating")
    assert (said.trials, said.could_flag, said.flagged) == (1, False, False)


@pytest.mark.usefixtures("without_intervals")
def test_blind_guesses_of_an_unrestricted_order_are_rarely_doubted() -> None:
    """Each period counts there: a balanced guess is doubted in 4 % of the 924 orders of twelve periods."""
    said = guessed(["Mg", "Pl"] * 6)
    orders = list(sequences("unrestricted", PAIR, 6))
    flags = [blinding_integrity(said, periods_of(order), "unrestricted", PAIR).flagged for order in orders]
    assert sum(flags) / len(flags) == pytest.approx(37 / 924)


def test_three_arms_have_a_third_to_chance_and_no_index_of_bangs() -> None:
    """Chance is a third, a block is one trial, and Bang's index is left out: it knows two arms only."""
    order = "ABCCABBCA"
    said = blinding_integrity(guessed(order), periods_of(order, arms=3), "permuted-blocks", THREE)
    assert said.chance == pytest.approx(1 / 3)
    assert (said.trials, said.right) == (3, 3.0)
    assert {one.bang for one in said.by_arm.values()} == {None}
    assert said.james == 0.0
    blind = [
        blinding_integrity(guessed("ABC" * 3), periods_of(one, arms=3), "permuted-blocks", THREE).flagged
        for one in sequences("permuted-blocks", THREE, 3)
    ]
    assert sum(blind) / len(blind) < 0.05
