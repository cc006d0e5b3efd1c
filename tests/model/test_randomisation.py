"""The randomisation test: the draw, the whole draw, and nothing but the draw."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import mean, variance

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from tests.model.simulated import DEEP, FIRST, LATENCY, ar1

from nof1.model import randomisation
from nof1.model.design import AnalysisDesign, build_design
from nof1.model.randomisation import RandomisationTest, randomisation_test
from nof1.trial.allocation import allocate, possible_sequences, smallest_p
from nof1.trial.protocol import Arm, Contrast, Design

ARMS = (Arm(code="A", label="One"), Arm(code="B", label="Other", reference=True))
THREE = (*ARMS, Arm(code="C", label="Third"))
NIGHTS = 4
ATTAINABLE = [
    ("randomised-pairs", 4, 2 / 2**4),
    ("randomised-pairs", 5, 2 / 2**5),
    ("randomised-pairs", 6, 2 / 2**6),
    ("alternating", 6, 1.0),
    ("counterbalanced", 6, 2 / 2**3),
    ("permuted-blocks", 6, 2 / 2**6),
    ("unrestricted", 6, 2 / 924),
]

type Values = Sequence[Sequence[float | None]]
"""Minutes of each night of each period; None was not recorded."""


def laid_out(sequence: Sequence[str], values: Values, *, outcome=DEEP, transition=0, run_in=0) -> AnalysisDesign:
    """Lay a trial out whose periods had these arms and whose nights had these values."""
    rows = [(None, None, 0.0, False)] * run_in
    rows += [
        (number, code, value, night < transition)
        for number, (code, nights) in enumerate(zip(sequence, values, strict=True), start=1)
        for night, value in enumerate(nights)
    ]
    frame = pl.DataFrame(
        rows,
        schema={"period": pl.Int64, "arm": pl.String, "value": pl.Float64, "transition": pl.Boolean},
        orient="row",
    ).with_columns(
        night=pl.Series([FIRST + timedelta(days=day) for day in range(len(rows))]),
        block=pl.col("period"),
        run_in=pl.col("period").is_null(),
    )
    sleepless = pl.col("value") == np.inf
    nights = frame.filter(pl.col("value").is_not_null()).select(
        "night",
        pl.when(~sleepless).then("value").alias(outcome.measure),
        tib_min=pl.lit(480.0),
        tst_min=pl.when(sleepless).then(0.0).otherwise(420.0),
        sol_source=pl.lit("in_bed"),
        flags=pl.lit([], dtype=pl.List(pl.String)),
    )
    calendar = frame.select("night", "period", "block", "arm", "run_in", "transition")
    arms, contrast = sorted(set(sequence)), Contrast(arm="A", reference="B")
    return build_design(nights, calendar, outcome, arms=arms, contrasts=[contrast], exclude_flags=[]).between(contrast)


def by_the_draw(
    sequence: Sequence[str], values: Values, scheme="randomised-pairs", *, arms=ARMS, longest_run=None, **layout
) -> RandomisationTest:
    """Test a trial whose sequence was drawn by a scheme."""
    design = Design(scheme=scheme, blocks=len(sequence) // len(arms), longest_run=longest_run)
    return randomisation_test(laid_out(sequence, values, **layout), design, arms, sequence, seed=5)


def noise(seed: int, periods: int, *, missing=0.0, rho=0.6, rounded=False) -> list[list[float | None]]:
    """Autocorrelated minutes of deep sleep, some not recorded."""
    rng = np.random.default_rng(seed)
    minutes = 600 + 19 * ar1(rng, periods * NIGHTS, rho)
    kept = rng.random(periods * NIGHTS) >= missing
    told = [(round(m) if rounded else float(m)) if keep else None for m, keep in zip(minutes, kept, strict=True)]
    return [told[start : start + NIGHTS] for start in range(0, len(told), NIGHTS)]


def plus(values: Values, sequence: Sequence[str], effect: float) -> list[list[float | None]]:
    """Add an effect to every night of arm A."""
    return [
        [None if value is None else value + effect * (code == "A") for value in nights]
        for code, nights in zip(sequence, values, strict=True)
    ]


def difference(sequence: Sequence[str], means: Sequence[float | None]) -> float:
    """The statistic once more, from its words."""
    a, b = ([m for code, m in zip(sequence, means, strict=True) if code == arm and m is not None] for arm in "AB")
    return mean(a) - mean(b) if a and b else np.inf


def share_as_large(design: Design, arms: Sequence[Arm], sequence: Sequence[str], values: Values) -> float:
    """The p once more, by going through the sequences one by one."""
    means = [mean(kept) if (kept := [v for v in nights if v is not None]) else None for nights in values]
    others = [
        other
        for other, _ in possible_sequences(design, arms)
        if all(had == has for had, has in zip(sequence, other, strict=True) if {had, has} - {"A", "B"})
    ]
    observed = abs(difference(sequence, means))
    return mean(abs(difference(other, means)) >= observed - 1e-9 for other in others)


def test_two_pairs_by_hand():
    """Means of 10, 20, 30, 60 differ by 20 in ABAB and BABA, by 10 in ABBA and BAAB: p is 2/4 and 4/4."""
    values = [[level] * NIGHTS for level in (10.0, 20.0, 30.0, 60.0)]
    found = by_the_draw("ABAB", values)
    assert (found.statistic, found.p, found.n_sequences) == (pytest.approx(-20), 0.5, 4)
    assert by_the_draw("ABBA", values).p == 1.0


@pytest.mark.parametrize(
    ("arms", "scheme", "blocks", "longest_run"),
    [
        (ARMS, "randomised-pairs", 5, None),
        (ARMS, "randomised-pairs", 5, 1),
        (ARMS, "counterbalanced", 6, None),
        (ARMS, "unrestricted", 4, None),
        (ARMS, "unrestricted", 4, 2),
        (THREE, "permuted-blocks", 4, None),
        (THREE, "permuted-blocks", 4, 1),
        (THREE, "unrestricted", 3, 2),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_p_is_the_share_of_sequences_that_could_have_been_drawn(arms, scheme, blocks, longest_run, seed):
    """Whatever the scheme, its limit, missing nights and ties, p is what going through them one by one gives."""
    design = Design(scheme=scheme, blocks=blocks, longest_run=longest_run)
    sequence = allocate(design, arms, bytes([seed]) * 32).sequence
    values = noise(seed, len(sequence), missing=0.25, rounded=True)
    found = by_the_draw(sequence, values, scheme, arms=arms, longest_run=longest_run)
    assert found.why_refused is None
    assert found.p == pytest.approx(share_as_large(design, arms, sequence, values))


@pytest.mark.parametrize("seed", range(4))
def test_a_sequence_that_would_leave_an_arm_without_nights_counts_as_extreme(seed):
    """Where half of the periods were never recorded, all of them might have been on one arm: that raises p."""
    sequence = "ABABABAB"
    values = [*noise(seed, 4), *[[None] * NIGHTS] * 4]
    found = by_the_draw(sequence, values, "unrestricted")
    assert found.p == pytest.approx(share_as_large(Design(scheme="unrestricted", blocks=4), ARMS, sequence, values))
    assert found.smallest_p == pytest.approx((6 + 6 + 1 + 1) / 70)  # ABAB goes on in six ways, AAAA in one


@pytest.mark.parametrize("seed", range(4))
def test_the_studentised_p_divides_by_the_error_over_periods(seed):
    """Where an arm lost periods, its mean is less sure, and the second version knows."""
    sequence, lost = "ABBAABBAABBA", {0, 3, 4}
    values = [[None] * NIGHTS if at in lost else nights for at, nights in enumerate(noise(seed, 12))]
    means = [None if at in lost else mean(nights) for at, nights in enumerate(values)]

    def studentised(order):
        kept = [[m for code, m in zip(order, means, strict=True) if code == arm and m is not None] for arm in "AB"]
        return abs(mean(kept[0]) - mean(kept[1])) / sum(variance(of) / len(of) for of in kept) ** 0.5

    observed = studentised(sequence)
    others = [other for other, _ in possible_sequences(Design(scheme="randomised-pairs", blocks=6), ARMS)]
    assert by_the_draw(sequence, values).p_studentised == pytest.approx(
        mean(studentised(other) >= observed - 1e-9 for other in others)
    )


@pytest.mark.parametrize("seed", range(10))
def test_strict_alternation_never_has_a_p_under_one(seed):
    """ABAB could only have been BABA, which differs as much the other way: p is always 1, and there is no set."""
    values = plus(noise(seed, 12), "AB" * 6, 80)
    found = by_the_draw("AB" * 6, values, "alternating")
    assert (found.p, found.p_studentised, found.smallest_p, found.confidence_set) == (1.0, 1.0, 1.0, None)
    assert "whole line" in found.why_no_set
    assert "cannot reach" in found.why_no_set


@pytest.mark.parametrize(("scheme", "blocks", "least"), ATTAINABLE)
def test_the_smallest_p_that_is_printed_is_attained(scheme, blocks, least):
    """Each scheme's smallest p is that of the literature, of the start's announcement, and of an enormous effect."""
    design = Design(scheme=scheme, blocks=blocks)
    sequence = allocate(design, ARMS, bytes(range(32))).sequence
    found = by_the_draw(sequence, plus(noise(1, 2 * blocks), sequence, 1_000), scheme)
    assert found.smallest_p == pytest.approx(least)
    assert smallest_p(design, ARMS) == pytest.approx(least)
    assert found.p == pytest.approx(least)
    assert found.p_studentised == pytest.approx(least)


def test_under_six_pairs_the_set_is_the_whole_line():
    """Five pairs reach p = 1/16 and no less, so a 95 % set excludes nothing; six pairs exclude something."""
    assert by_the_draw("ABBAABBAAB", noise(1, 10)).confidence_set is None
    assert by_the_draw("ABBAABBAABBA", noise(1, 12)).confidence_set is not None


def test_periods_without_nights_raise_the_smallest_p():
    """Six pairs of which one was never recorded are five, and the test knows."""
    values = [*noise(1, 10), [None] * NIGHTS, [None] * NIGHTS]
    found = by_the_draw("ABBAABBAABBA", values)
    assert (found.n_sequences, found.smallest_p) == (64, 2 / 2**5)
    assert found.confidence_set is None


@pytest.mark.parametrize(
    ("scheme", "sequence"),
    [("randomised-pairs", "ABBAABBAABBA"), ("randomised-pairs", "BABAABABBABAABAB"), ("unrestricted", "ABBBAABAAABB")],
)
@pytest.mark.parametrize("seed", range(4))
def test_the_set_holds_the_effects_that_are_not_rejected(scheme, sequence, seed):
    """An effect just inside the set, taken away from the nights, leaves p above 5 %; just outside, at most 5 %."""
    values = plus(noise(seed, len(sequence), missing=0.2), sequence, 15)
    found = by_the_draw(sequence, values, scheme)
    low, high = found.confidence_set
    assert low < found.statistic < high

    def p_without(effect):
        return by_the_draw(sequence, plus(values, sequence, -effect), scheme).p

    within = np.linspace(low + 1e-6, high - 1e-6, 9)
    beyond = [low - 1e-6, low - 3, low - 300, high + 1e-6, high + 3, high + 300]
    assert min(map(p_without, within)) > 0.05
    assert max(map(p_without, beyond)) <= 0.05


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-150, 10_000), st.floats(-60, 60))
def test_what_is_added_to_all_nights_changes_nothing_and_an_effect_moves_the_set(seed, constant, effect):
    """A constant on all nights is not seen; one on the nights of an arm moves statistic and set by as much."""
    sequence = "ABBAABBAABBA"
    values = noise(seed, 12, missing=0.1)
    plain = by_the_draw(sequence, values)
    lifted = by_the_draw(sequence, [[None if v is None else v + constant for v in nights] for nights in values])
    assert (lifted.p, lifted.p_studentised) == (plain.p, plain.p_studentised)
    assert lifted.confidence_set == pytest.approx(plain.confidence_set)
    moved = by_the_draw(sequence, plus(values, sequence, effect))
    assert moved.statistic == pytest.approx(plain.statistic + effect)
    assert moved.confidence_set == pytest.approx([end + effect for end in plain.confidence_set])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_exchanging_the_arms_mirrors_everything(seed):
    """The same nights under the opposite sequence give the same p and the mirrored set."""
    values = plus(noise(seed, 12, missing=0.1), "ABBAABBAABBA", 9)
    one, other = by_the_draw("ABBAABBAABBA", values), by_the_draw("BAABBAABBAAB", values)
    assert (one.p, one.p_studentised, one.smallest_p) == (other.p, other.p_studentised, other.smallest_p)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.confidence_set == pytest.approx([-other.confidence_set[1], -other.confidence_set[0]])


def test_transition_nights_and_run_in_are_not_seen():
    """The first nights of every period, and nights before the first, may be anything."""
    sequence, values = "ABBAABBAABBA", noise(2, 12)
    wild = [[500.0 * (code == "A"), *nights] for code, nights in zip(sequence, values, strict=True)]
    assert by_the_draw(sequence, wild, transition=1, run_in=5) == by_the_draw(sequence, values)


def test_the_order_of_nights_in_a_period_and_their_number_do_not_weigh():
    """A period counts once by its mean, however many nights it has."""
    sequence, values = "ABBAABBAABBA", noise(2, 12)
    doubled = [[*nights[::-1], *nights] for nights in values]
    one, other = by_the_draw(sequence, values), by_the_draw(sequence, doubled)
    assert (one.p, one.n_sequences) == (other.p, other.n_sequences)
    assert one.statistic == pytest.approx(other.statistic)


def test_periods_that_never_vary_are_no_evidence():
    """Where every period is like every other, every sequence differs by nothing, and p is 1; a constant is refused."""
    found = by_the_draw("ABBAABBAABBA", [[59.0 + night for night in range(NIGHTS)]] * 12)
    assert (found.p, found.p_studentised, found.statistic) == (1.0, 1.0, 0.0)
    constant = by_the_draw("ABBAABBAABBA", [[60.0] * NIGHTS] * 12)
    assert (constant.p, "same deep sleep" in constant.why_refused) == (None, True)


def test_a_third_arm_stays_where_it_was():
    """With three arms in four blocks, only the two compared could have changed places: 2^4 sequences, not 6^4."""
    sequence = "ACBBCACABBAC"
    values = noise(3, 12)
    found = by_the_draw(sequence, values, "permuted-blocks", arms=THREE)
    assert (found.n_sequences, found.smallest_p) == (2**4, 2 / 2**4)
    wild = [[900.0] * NIGHTS if code == "C" else nights for code, nights in zip(sequence, values, strict=True)]
    assert by_the_draw(sequence, wild, "permuted-blocks", arms=THREE) == found


def test_a_set_too_large_to_list_is_drawn_from(monkeypatch):
    """Drawn p and set agree with listed ones within what 9,999 draws allow; the same seed gives the same again."""
    sequence = "ABBABAABABABBAAB"
    values = plus(noise(4, 16), sequence, 10)
    listed = by_the_draw(sequence, values)
    monkeypatch.setattr(randomisation, "MOST_LISTED", 100)
    drawn = by_the_draw(sequence, values)
    assert listed.exact
    assert not drawn.exact
    assert drawn == by_the_draw(sequence, values)
    assert drawn.n_sequences == listed.n_sequences == 2**8
    assert drawn.p == pytest.approx(listed.p, abs=4 * np.sqrt(listed.p / 10_000))
    assert drawn.confidence_set == pytest.approx(listed.confidence_set, abs=2)


def test_a_p_from_draws_is_never_zero():
    """Of eighteen pairs the most that draws can say is 1 in 10,000."""
    sequence = "ABBABAABAB" * 3 + "BAABAB"
    found = by_the_draw(sequence, plus(noise(4, 36), sequence, 1_000))
    assert (found.p, found.smallest_p, found.n_sequences) == (1 / 10_000, 1 / 10_000, 2**18)


def latencies(seed: int, periods: int) -> list[list[float]]:
    """Minutes to fall asleep, at a grain of half a minute."""
    rng = np.random.default_rng(seed)
    minutes = np.maximum(np.round(2 * np.exp(rng.normal(2.7, 0.6, (periods, 5)))) / 2, 1.5)
    return minutes.tolist()


def test_a_latency_is_told_by_medians_as_a_ratio():
    """Twice the latency on one arm doubles statistic and set; of a bad night only that it was bad is seen."""
    sequence, values = "ABBAABBAABBA", latencies(1, 12)
    plain = by_the_draw(sequence, values, outcome=LATENCY)
    assert (plain.unit, plain.summary) == ("ratio", "median")
    doubled = [[v * (2 if c == "A" else 1) for v in nights] for c, nights in zip(sequence, values, strict=True)]
    twice = by_the_draw(sequence, doubled, outcome=LATENCY)
    assert twice.statistic == pytest.approx(2 * plain.statistic)
    assert twice.confidence_set == pytest.approx([2 * end for end in plain.confidence_set])
    long, longer = ([[*nights[:-1], minutes] for nights in values] for minutes in (120.0, 300.0))
    assert by_the_draw(sequence, long, outcome=LATENCY) == by_the_draw(sequence, longer, outcome=LATENCY)


def test_nights_known_as_limits_keep_their_side():
    """A latency under the grain, and a night without sleep, count as short and long, and leave an exact set."""
    sequence, values = "ABBAABBAABBA", latencies(1, 12)
    ends = [[0.5, *sorted(nights)[1:-1], np.inf] for nights in values]
    other = [[0.0, *sorted(nights)[1:-1], 479.0] for nights in values]
    found = by_the_draw(sequence, ends, outcome=LATENCY)
    assert found.confidence_set is not None
    assert (found.p, found.confidence_set) == (
        (same := by_the_draw(sequence, other, outcome=LATENCY)).p,
        same.confidence_set,
    )


def test_a_median_that_is_a_limit_leaves_a_p_and_no_set():
    """Where most nights of a period are under the grain, the sharp null is tested and no effect can be taken away."""
    values = [[0.5, 0.5, 0.5, *nights[3:]] if not at else nights for at, nights in enumerate(latencies(1, 12))]
    found = by_the_draw("ABBAABBAABBA", values, outcome=LATENCY)
    assert found.p is not None
    assert found.confidence_set is None
    assert "limit" in found.why_no_set


def numbers(found: RandomisationTest) -> list[object]:
    """What a test that is refused must not tell."""
    return [found.statistic, found.p, found.p_studentised, found.smallest_p, found.confidence_set]


def test_a_schedule_that_was_brought_gets_no_p():
    """What a `fixed` schedule could have been is not known, so there is no chance to compare with."""
    found = by_the_draw("ABBAABBAABBA", noise(1, 12), "fixed")
    assert "was brought" in found.why_refused
    assert numbers(found) == [None] * 5


def test_a_sequence_that_could_not_be_drawn_gets_no_p():
    """AAB... is no sequence of pairs: somebody exchanged arms, or this is another protocol."""
    for sequence in ("AABBABABABAB", "AABB" + "AB" * 16, "ABBAB"):
        values = noise(1, len(sequence))
        found = by_the_draw(sequence, values)
        assert "none that its scheme could have drawn" in found.why_refused
        assert numbers(found) == [None] * 5
    short = randomisation_test(
        laid_out("ACBBCACABBAC", noise(1, 12)),
        Design(scheme="permuted-blocks", blocks=6),
        THREE,
        "ACBBCACABBAC",
        seed=5,
    )
    assert "none that its scheme could have drawn" in short.why_refused


def test_what_carries_no_verdict_gets_no_p():
    """Too few nights, or a latency that the device guessed: the reason is given and no number."""
    few = by_the_draw("ABBAABBAABBA", [nights[:1] for nights in noise(1, 12)], transition=1)
    assert "usable nights" in few.why_refused
    guessed = laid_out("ABBAABBAABBA", latencies(1, 12), outcome=LATENCY)
    object.__setattr__(guessed, "why_descriptive", "The device guessed.")
    found = randomisation_test(guessed, Design(scheme="randomised-pairs", blocks=6), ARMS, "ABBAABBAABBA", seed=5)
    assert "no verdict" in found.why_refused
    assert numbers(few) == numbers(found) == [None] * 5


TRIALS = 2_000


def many(scheme: str, blocks: int, effect: float) -> list[RandomisationTest]:
    """Test many simulated trials: strongly autocorrelated nights, a tenth of them missing, the sequence drawn anew."""
    design = Design(scheme=scheme, blocks=blocks)
    rng = np.random.default_rng(20261122)
    found = []
    for trial in range(TRIALS):
        sequence = allocate(design, ARMS, rng.bytes(32)).sequence
        values = plus(noise(trial, 2 * blocks, missing=0.1), sequence, effect)
        found.append(by_the_draw(sequence, values, scheme))
    return found


@pytest.mark.calibration
@pytest.mark.parametrize(("scheme", "blocks"), [("randomised-pairs", 6), ("unrestricted", 6), ("counterbalanced", 6)])
def test_p_is_uniform_where_nothing_differs(scheme, blocks, capsys):
    """Over 2,000 trials without an effect, at ρ = 0.6, each attainable level is reached as often as it says."""
    found = many(scheme, blocks, 0.0)
    with capsys.disabled():
        for version in ("p", "p_studentised"):
            p = np.array([getattr(test, version) for test in found])
            levels = [level for level in np.unique(p) if level < 1]
            worst = min((tail(int((p <= level + 1e-9).sum()), level) for level in levels), default=1.0)
            at = ", ".join(f"{level:.3f}: {np.mean(p <= level + 1e-9):.4f}" for level in levels[:6])
            print(f"\n{scheme}, {blocks} blocks, {version}: {at}; {len(levels)} levels, smallest tail {worst:.3g}")
            assert worst > 0.01 / max(len(levels), 1)


def tail(count: int, level: float) -> float:
    """How improbable so many rejections, or a number as far on that side, would be if the level held."""
    return 2 * min(binom.cdf(count, TRIALS, level), binom.sf(count - 1, TRIALS, level))


@pytest.mark.calibration
def test_the_confidence_set_covers(capsys):
    """Over 2,000 trials of six pairs with an effect of 12 minutes at ρ = 0.6, the 95 % set holds it in 31 of 32."""
    held = sum(low <= 12.0 <= high for low, high in (test.confidence_set for test in many("randomised-pairs", 6, 12.0)))
    with capsys.disabled():
        print(f"\nsix pairs, ρ = 0.6: the 95 % set holds the effect in {held / TRIALS:.4f} of {TRIALS}; due 0.9688")
    assert tail(held, 31 / 32) > 0.01
