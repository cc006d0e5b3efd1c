"""Nights without any latency: when they are modelled by themselves, and what is then compared."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from tests.model.simulated import ARMS, LATENCY, RULES, calendar_of, nights_of, simulated_trial

from nof1.model import hurdle
from nof1.model.design import EXACT, LEFT, RIGHT, build_design
from nof1.model.diagnose import diagnose
from nof1.model.estimate import estimate
from nof1.model.linear import with_prior
from nof1.model.nuts import fit, fit_variants
from nof1.model.priors import priors_for, zero_priors
from nof1.model.scale import zeros_of
from nof1.model.sensitivity import opinions, reweighted, sampled_alternatives, sampled_variants
from nof1.report import sentences

BUILT = {"arms": ARMS, "exclude_flags": []}
LABELS = [{"code": code, "label": code, "reference": code == "placebo"} for code in ARMS]


def trial_with_zeros(share, *, seed=1, **truth):
    """A trial on some of whose nights no latency is told, whatever the sleep: a share of each arm's."""
    nights, calendar = simulated_trial(seed=seed, **truth)
    arm = nights.join(calendar, on="night", how="left", maintain_order="left")["arm"].fill_null("placebo")
    of_night = arm.replace_strict(share, return_dtype=pl.Float64).to_numpy()
    zero = pl.Series(np.random.default_rng(seed + 100).random(nights.height) < of_night)
    return nights.with_columns(sol_min=pl.when(zero).then(0.0).otherwise("sol_min")), calendar


def both_arms(share):
    """The same share on either arm."""
    return dict.fromkeys(ARMS, share)


# the choice


def test_lognormal_trials_do_not_choose_a_hurdle():
    """Of 100 trials with medians of 4 to 12 minutes, to the half minute or in steps of five, at most 3 choose it.

    They have nights at the smallest value, as a log-normal does, and an effect on one half of them.
    """
    chosen = asked = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        calendar = calendar_of(rng)
        arm = (calendar["arm"].fill_null("") == ARMS[0]).to_numpy()
        median, step = ((4.0, 0.5), (6.0, 0.5), (8.0, 5.0), (12.0, 5.0))[seed % 4]
        latency = median * np.exp((0.0, -0.5)[seed % 2] * arm + 0.7 * rng.normal(size=calendar.height))
        nights = nights_of(calendar, latency, step * np.round(latency / step), rng=rng)
        design = build_design(nights, calendar, LATENCY, **BUILT)
        asked += design.zeros is not None
        chosen += design.has_hurdle
    assert asked > 60
    assert chosen <= 3


@pytest.mark.parametrize(
    ("median", "told", "edge"),
    [(3.0, np.floor, 1.0), (8.0, lambda x: 5 * np.round(x / 5), 2.5)],
    ids=["whole minutes, down", "five minutes"],
)
def test_expected_zeros_are_those_of_the_whole_lognormal(median, told, edge):
    """Of 600 log-normal latencies the share at the smallest value is expected right, to a fifth, from the others alone.

    The others only show what lies above: their own median and SD would expect too few.
    """
    latencies = median * np.exp(0.9 * np.random.default_rng(1).normal(size=600))
    found = zeros_of(pl.Series(told(latencies)), priors_for("sol_min", baseline=None), at_most=1.0)
    truth = norm(np.log(median), 0.9).cdf(np.log(edge))
    assert found.expected == pytest.approx(truth, rel=0.2)
    assert found.seen == (told(latencies) == 0).sum()
    assert not found.chosen


def test_a_fifth_of_zeros_chooses_a_hurdle():
    """Forty trials with a fifth of zeros among latencies of 14 minutes choose it, and tell their figures."""
    designs = [build_design(*trial_with_zeros(both_arms(0.2), seed=seed), LATENCY, **BUILT) for seed in range(40)]
    assert sum(design.has_hurdle for design in designs) == 40
    for design in designs:
        told = design.zeros
        assert told.chosen == (told.as_many < 0.01)
        assert 0.05 < told.seen / told.nights < 0.4
        assert told.expected < 0.05


def test_the_choice_is_blind_to_the_arms():
    """Drawing the arms anew, ten times, or exchanging them changes no figure of the choice, whatever it is."""
    for share in (0.0, 0.08, 0.2):
        nights, calendar = trial_with_zeros({ARMS[0]: 2 * share, ARMS[1]: 0.0}, median=6.0, log_ratio=-0.6)
        first = build_design(nights, calendar, LATENCY, **BUILT)
        assert first.zeros is not None
        for seed in range(10):
            drawn = calendar["arm"].drop_nulls().shuffle(seed=seed)
            arm = pl.concat([pl.Series([None] * calendar["arm"].null_count(), dtype=pl.String), drawn])
            other = build_design(nights, calendar.with_columns(arm=arm), LATENCY, **BUILT)
            assert other.zeros == first.zeros
        assert build_design(nights, calendar, LATENCY, arms=ARMS[::-1], exclude_flags=[]).zeros == first.zeros


def test_without_a_night_at_zero_there_is_nothing_to_choose():
    """Where every latency is well above the smallest, or all are alike, nothing is asked."""
    nights, calendar = simulated_trial(seed=1, median=40.0, log_sigma=0.3)
    assert build_design(nights, calendar, LATENCY, **BUILT).zeros is None
    assert build_design(nights.with_columns(sol_min=0.0), calendar, LATENCY, **BUILT).zeros is None


# the zeros


def counted(design, *, zeros, nights):
    """The design with so many nights, and zeros among them, on each arm; only what the zeros are told by."""
    arm_index = np.repeat(np.arange(len(nights)), nights)
    censored = np.concatenate([np.repeat([LEFT, EXACT], [z, n - z]) for z, n in zip(zeros, nights, strict=True)])
    return replace(design, arms=tuple("abcd"[: len(nights)]), arm_index=arm_index, censored=censored)


@pytest.fixture(scope="module")
def a_design():
    """Any design that has a hurdle."""
    return build_design(*trial_with_zeros(both_arms(0.25), seed=3), LATENCY, **BUILT)


def weighed(design, zeros, nights):
    """400,000 draws of the log odds from their prior, and how well each explains the zeros of its arms."""
    prior = hurdle.prior_log_odds(design.priors, len(design.arms), 400_000, seed=7)
    weight = np.exp(sum(z * p - n * np.logaddexp(0, p) for z, n, p in zip(zeros, nights, prior.T, strict=True)))
    return prior, weight / weight.sum()


@pytest.mark.parametrize(
    ("zeros", "nights"),
    [((9, 3), (40, 42)), ((0, 12), (30, 35)), ((5, 9, 14), (30, 31, 29)), ((1, 2, 9, 3), (9, 12, 20, 8))],
)
@pytest.mark.parametrize(("location", "scale"), [(0.0, 0.25), (-0.15, 0.25), (0.0, 0.125), (0.0, 0.75)])
def test_log_odds_are_those_of_the_prior_weighed_by_the_nights(a_design, zeros, nights, location, scale):
    """Means and SDs of every arm, and of their differences, equal 400,000 draws of the prior weighed by the binomials.

    Of two arms and of more, where the prior hopes for shorter latencies, and where it is half or three times as wide.
    """
    design = counted(a_design, zeros=zeros, nights=nights)
    design = replace(design, priors=with_prior(design.priors, "delta", location=location, scale=scale))
    prior, weight = weighed(design, zeros, nights)
    drawn = hurdle.zero_log_odds(design, (4, 5_000), seed=1).reshape(-1, len(nights))
    for told in (lambda odds: odds, lambda odds: odds - odds[:, -1:], lambda odds: 1 / (1 + np.exp(-odds))):
        mean = weight @ told(prior)
        sd = np.sqrt(weight @ (told(prior) - mean) ** 2)
        assert told(drawn).mean(axis=0) == pytest.approx(mean, abs=0.04 * sd.max())
        assert told(drawn).std(axis=0) == pytest.approx(sd, rel=0.04, abs=1e-9)


def test_every_difference_of_arms_has_the_prior_that_is_printed(a_design):
    """Of four arms every difference of log odds is Normal(0, 1), and what all share is Normal(logit 20 %, 1)."""
    shared, between = zero_priors(a_design.priors)
    assert (between.location, between.scale) == (0.0, 1.0)
    assert 1 / (1 + np.exp(-shared.location)) == pytest.approx(0.2)
    drawn = hurdle.prior_log_odds(a_design.priors, 4, 40_000, seed=1)
    for one in range(4):
        for other in range(one):
            assert (drawn[:, one] - drawn[:, other]).std() == pytest.approx(1.0, rel=0.02)
    own = between.scale**2 / 2 / 4
    assert drawn.mean(axis=1).std() == pytest.approx(np.sqrt(shared.scale**2 + own), rel=0.02)
    assert drawn.mean() == pytest.approx(shared.location, abs=0.02)


# the posterior of all nights


@cache
def fitted(zeros_on_magnesium, zeros_on_placebo, log_ratio):
    """The design, tree and estimate of one trial of 12 periods with planted zeros."""
    share = {ARMS[0]: zeros_on_magnesium, ARMS[1]: zeros_on_placebo}
    nights, calendar = trial_with_zeros(share, seed=4, median=30.0, log_ratio=log_ratio, blocks=8, period_nights=14)
    design = build_design(nights, calendar, LATENCY, **BUILT)
    tree = fit([design], seed=1)["sol_min"]
    checks = diagnose(design, tree)
    return design, tree, estimate(design, design.contrasts[0], tree, checks, RULES)


def within(draws, truth):
    """Whether the truth lies in the equal-tailed 95 % interval."""
    low, high = np.quantile(np.asarray(draws), [0.025, 0.975])
    return low < truth < high


@pytest.mark.parametrize(
    ("zeros", "log_ratio"), [((0.2, 0.2), np.log(0.7)), ((0.35, 0.1), 0.0)], ids=["other latencies", "other zeros"]
)
def test_planted_zeros_and_latencies_are_recovered(zeros, log_ratio):
    """A fifth of zeros on either arm beside latencies of 70 %, and 35 against 10 % of zeros beside equal latencies.

    Recovered are the shares, their difference, the averages of all nights (the zeros being 0) and their ratio.
    """
    design, tree, told = fitted(*zeros, log_ratio)
    assert told.diagnostics.usable, told.diagnostics.failures
    posterior = tree["posterior"]
    share = posterior["zero_share"].sel(arm=list(ARMS)).to_numpy().reshape(-1, 2)
    assert all(within(share[:, arm], zeros[arm]) for arm in (0, 1))
    assert within(share[:, 0] - share[:, 1], zeros[0] - zeros[1])
    assert np.mean(share[:, 0] > share[:, 1]) > 0.99 or zeros[0] == zeros[1]
    ratio = np.exp(log_ratio) * (1 - zeros[0]) / (1 - zeros[1])
    assert told.ratio.ci95[0] < ratio < told.ratio.ci95[1]
    assert told.ratio.ci95[1] < 1.0
    for arm, code in enumerate(ARMS):
        half = (0.5, -0.5)[arm]
        average = (1 - zeros[arm]) * 30 * np.exp(log_ratio * half + 0.5 * 0.6**2)
        low, high = told.levels[code].ci95
        assert low < average < high
    assert design.zeros.chosen


def test_effect_and_ratio_are_of_the_levels():
    """Draw by draw the effect is the difference of the two averages, and delta the logarithm of their ratio."""
    _, tree, told = fitted(0.35, 0.1, 0.0)
    posterior = tree["posterior"]
    arm, reference = (posterior["level"].sel(arm=code).to_numpy() for code in ARMS)
    assert posterior["effect"].to_numpy() == pytest.approx(arm - reference)
    assert np.exp(posterior["delta"].to_numpy()) == pytest.approx(arm / reference)
    assert told.effect.median == pytest.approx(float(np.median(arm - reference)))


def test_averages_are_those_of_the_nights_themselves():
    """What is expected of all nights lies near the plain mean of them, zeros as 0, within 15 %."""
    design, _, told = fitted(0.2, 0.2, np.log(0.7))
    minutes = np.where(design.censored == LEFT, 0.0, np.exp(design.y))
    for place, code in enumerate(ARMS):
        plain = minutes[design.arm_index == place].mean()
        assert told.levels[code].median == pytest.approx(plain, rel=0.15)


def test_likelihood_of_a_night_is_of_both_parts():
    """A night without latency has the likelihood p₀ of its arm; another 1 − p₀ times the density of its latency."""
    design, tree, _ = fitted(0.35, 0.1, 0.0)
    posterior, told = tree["posterior"], tree["log_likelihood"]["y"].to_numpy()
    share = posterior["zero_share"].sel(arm=list(ARMS)).to_numpy()[..., design.arm_index]
    zero = design.censored == LEFT
    assert told[..., zero] == pytest.approx(np.log(share[..., zero]))
    density = told[..., ~zero] - np.log1p(-share[..., ~zero])
    sigma = posterior["sigma"].to_numpy()[..., None]
    best = -np.log(sigma) - 0.5 * np.log(2 * np.pi)
    assert (density <= best + 1e-9).all()
    assert density.mean() == pytest.approx((best - 0.5).mean(), abs=0.1)  # a residual is a σ long


def test_sampled_are_the_nights_that_have_a_latency():
    """The sampler gets every night but the zeros, those without any sleep too, and the periods keep their places."""
    nights, calendar = trial_with_zeros(both_arms(0.25), seed=3)
    sleepless = pl.int_range(pl.len()) == 30
    nights = nights.with_columns(
        sol_min=pl.when(sleepless).then(None).otherwise("sol_min"),
        tst_min=pl.when(sleepless).then(0.0).otherwise("tst_min"),
    )
    design = build_design(nights, calendar, LATENCY, **BUILT)
    part = hurdle.sampled_part(design)
    assert set(part.censored) == {EXACT, RIGHT}
    assert len(part.y) == (design.censored != LEFT).sum()
    assert part.periods == design.periods
    assert hurdle.sampled_part(replace(design, zeros=None)) is not part
    assert len(hurdle.sampled_part(replace(design, zeros=None)).y) == len(design.y)


def test_the_record_names_model_choice_and_priors():
    """The result says which model it is, with the figures of the choice and the priors of both parts."""
    design, _, told = fitted(0.2, 0.2, np.log(0.7))
    payload = told.to_payload()["model"]
    assert payload["family"] == "hurdle_lognormal"
    assert payload["zeros"]["seen"] / payload["zeros"]["nights"] == pytest.approx(0.2, abs=0.06)
    assert payload["zeros"]["chosen"]
    assert payload["n_censored"] == 0  # the zeros are not "at most a minute" here
    assert {"zeros", "zeros_delta"} < {prior["name"] for prior in payload["priors"]}
    censored = estimate(replace(design, zeros=None), design.contrasts[0], None, None, RULES)
    assert censored.model.family == "lognormal"
    assert censored.model.n_censored == (design.censored == LEFT).sum()


def test_words_speak_of_averages():
    """Where zeros count as 0 the sentences speak of averages, and say how many zeros there were; else of medians."""
    design, _, told = fitted(0.2, 0.2, np.log(0.7))
    said = sentences.finding(told.to_payload(), LABELS, blinding="sealed")
    text = " ".join(said)
    assert "Best estimate: average time to fall asleep" in text
    assert "Expected on an average night" in text
    assert f"On {design.zeros.seen} of {design.zeros.nights} nights" in text
    assert "median" not in text.replace("the median is", "")
    plain = told.to_payload() | {"model": told.to_payload()["model"] | {"family": "lognormal"}}
    text = " ".join(sentences.finding(plain, LABELS, blinding="sealed"))
    assert "Best estimate: median time to fall asleep" in text
    assert "Half of the nights" in text


# the alternatives


@pytest.mark.parametrize("name", ["sceptical", "enthusiastic", "flat"])
def test_another_prior_weighs_both_parts(name):
    """Draws weighed anew have the zeros that the binomials give under the other prior of the zeros."""
    design, tree, _ = fitted(0.35, 0.1, 0.0)
    other = opinions(design)[name]
    share = reweighted(design, other, tree["posterior"].to_dataset())["zero_share"]
    odds = np.log(share / (1 - share))
    drawn = (odds.sel(arm=ARMS[0]) - odds.sel(arm=ARMS[1])).to_numpy()
    on_arm = [design.censored[design.arm_index == arm] == LEFT for arm in (0, 1)]
    prior, weight = weighed(other, [zero.sum() for zero in on_arm], [len(zero) for zero in on_arm])
    apart = prior[:, 0] - prior[:, 1]
    mean = weight @ apart
    sd = np.sqrt(weight @ (apart - mean) ** 2)
    assert drawn.mean() == pytest.approx(mean, abs=0.15 * sd)
    assert drawn.std() == pytest.approx(sd, rel=0.1)


def test_alternatives_keep_the_model_that_was_chosen():
    """Other nights do not choose another model: averages stand beside averages, and every row has its numbers."""
    design, tree, told = fitted(0.2, 0.2, np.log(0.7))
    some = design.nights.with_columns(used=pl.col("used") & (pl.int_range(pl.len()) % 9 > 0))
    kept = some.filter(design.nights["used"])["used"].to_numpy()
    rebuilt = {"unflagged": replace(design.only(kept), nights=some, zeros=None)}
    designs = sampled_variants(design, rebuilt)
    assert all(one.has_hurdle for one in designs.values())
    fits = fit_variants(designs, width=16, seed=1)
    (rows,) = sampled_alternatives(design, tree, designs, fits, RULES).values()
    assert [row.name for row in rows] == ["sceptical", "enthusiastic", "flat", "no_period_effects", "unflagged"]
    for row in rows:
        assert row.why_not is None
        assert abs(row.effect.mean - told.effect.mean) < 2 * told.effect.sd
    by_name = {row.name: row.effect for row in rows}
    assert abs(by_name["sceptical"].mean) < abs(by_name["flat"].mean)
