"""The randomisation test of a schedule that was brought, over the set that its protocol declares."""

from dataclasses import replace

import numpy as np
import pytest
from tests.model.test_randomisation import ARMS, THREE, laid_out, noise, plus, share_as_large

from nof1.model.randomisation import randomisation_test
from nof1.trial.allocation import allocate, possible_sequences
from nof1.trial.protocol import Design


def by_the_set(sequence, values, orders, *, arms=ARMS, **layout):
    """Test a trial that was brought with these orders declared."""
    design = Design(scheme="fixed", reference_set=tuple(map(tuple, orders)))
    return randomisation_test(laid_out(sequence, values, **layout), design, arms, sequence, seed=5)


@pytest.mark.parametrize(
    ("arms", "scheme", "blocks"),
    [(ARMS, "randomised-pairs", 5), (ARMS, "unrestricted", 4), (THREE, "permuted-blocks", 3)],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_declared_set_is_tested_as_a_draw_from_it(arms, scheme, blocks, seed):
    """All that a scheme could have drawn, declared instead: statistic, p, confidence set, everything is the same."""
    drawn = Design(scheme=scheme, blocks=blocks)
    sequence = allocate(drawn, arms, bytes([seed]) * 32).sequence
    values = noise(seed, len(sequence), missing=0.2)
    orders = [order for order, _ in possible_sequences(drawn, arms)][::-1]
    by_draw = randomisation_test(laid_out(sequence, values), drawn, arms, sequence, seed=5)
    by_set = by_the_set(sequence, values, orders, arms=arms)
    assert by_set.why_refused is None
    assert by_set.p == pytest.approx(share_as_large(drawn, arms, sequence, values))
    assert (by_draw.set_declared, by_set.set_declared) == (False, True)
    assert replace(by_set, set_declared=False) == by_draw


def test_nothing_but_the_declared_orders_counts():
    """Three orders by hand: differences of 20, 10 and 30 minutes, so that p is 2/3, and 1/3 is the smallest."""
    values = [[level] * 4 for level in (10.0, 20.0, 30.0, 60.0)]
    orders = ["ABAB", "ABBA", "AABB"]
    found = by_the_set("ABAB", values, orders)
    assert (found.statistic, found.p, found.n_sequences) == (pytest.approx(-20), pytest.approx(2 / 3), 3)
    assert (found.smallest_p, found.exact) == (pytest.approx(1 / 3), True)
    assert by_the_set("AABB", values, orders).p == pytest.approx(1 / 3)


def test_orders_with_unequal_numbers_of_periods_are_compared_too():
    """Each order has the mean of its own periods: two, one and three of four on the arm, gone through by hand."""
    values = [[level] * 4 for level in (10.0, 20.0, 30.0, 60.0)]
    found = by_the_set("AABB", values, ["AABB", "BBBA", "AAAB", "ABBB"])
    differences = np.array([15 - 45, 60 - 20, 20 - 60, 10 - 110 / 3])
    assert found.p == pytest.approx(np.mean(np.abs(differences) >= 30)) == pytest.approx(3 / 4)


def test_a_planted_effect_is_found_and_in_the_confidence_set():
    """Twenty orders by lot, none the mirror image of the first: 30 minutes have p = 1/20, and the set holds them."""
    rng = np.random.default_rng(4)
    orders = {"ABABABABABAB"}
    while len(orders) < 20:
        orders.add("".join(rng.permutation(list("AB" * 6))))
    orders -= {"BABABABABABA"}
    quiet = [[600 + (value - 600) / 10 for value in nights] for nights in noise(3, 12)]
    found = by_the_set("ABABABABABAB", plus(quiet, "ABABABABABAB", 30.0), sorted(orders))
    assert found.p == found.smallest_p == pytest.approx(1 / 20)
    low, high = found.confidence_set
    assert low < 30 < high


def test_an_order_that_is_not_declared_gets_no_p():
    """Where the trial's own order is none of the set, or of another length, the set says nothing of it."""
    for orders in (["ABBA", "BAAB"], ["AB", "BA"]):
        found = by_the_set("ABAB", noise(1, 4), orders)
        assert (found.p, found.confidence_set) == (None, None)
        assert "none that its protocol declares" in found.why_refused
