"""The slow alternatives: which outcome gets which, and what is told of one that may not be used. No compiling."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from tests.model.simulated import ARMS, DEEP, LATENCY, RULES, simulated_trial

from nof1.errors import FitNotUsableError
from nof1.model import slow
from nof1.model.design import build_design
from nof1.model.joint import joint_account, not_joint
from nof1.model.predictor import require_converged
from nof1.model.sampler import Sampled
from nof1.model.sensitivity import ALTERNATIVES, in_order, not_told


@pytest.fixture(scope="module")
def designs():
    """Deep sleep and latency of one simulated trial."""
    nights, calendar = simulated_trial(seed=3)
    return [build_design(nights, calendar, one, arms=ARMS, exclude_flags=[]) for one in (DEEP, LATENCY)]


def draws(effect, delta):
    """A posterior (chain, draw) whose effects are given, with an SD of 1."""
    normal = np.random.default_rng(1).normal(size=(4, 500))
    both = ("chain", "draw")
    return xr.Dataset({"effect": (both, effect + normal), "delta": (both, delta + 0.01 * normal)})


def faked(monkeypatch, **fits):
    """Let the fits of the module give what is wanted, and keep the words that are told."""
    for name, given in fits.items():
        monkeypatch.setattr(slow, name, given)
    said = []
    return said, lambda design: slow.slow_alternatives(design, RULES, seed=1, progress=said.append)


def test_a_gaussian_outcome_gets_heavy_tails_and_a_latency_correlated_nights(designs, monkeypatch):
    """Each outcome has one slow row, with the numbers of its draws, and a word goes before it."""
    fits = {
        "fit_heavy_tails": lambda design, *, seed: draws(12.0, 12.0),
        "fit_latent_ar": lambda design, *, seed: draws(-4.0, -0.3),
    }
    said, rows_of = faked(monkeypatch, **fits)
    (heavy,), (latent,) = (next(iter(rows_of(design).values())) for design in designs)
    assert (heavy.name, latent.name) == ("heavy_tails", "latent_ar")
    assert heavy.effect.mean == pytest.approx(12.0, abs=0.1)
    assert heavy.ratio is None
    assert latent.ratio.median == pytest.approx(np.exp(-0.3), abs=0.01)
    assert latent.probability.p_better > 0.99
    assert heavy.nights == len(designs[0].y)
    assert said == ["trying deep sleep with heavy tails", "trying time to fall asleep with correlated nights"]


def test_a_fit_that_failed_its_checks_is_a_row_with_the_reason(designs, monkeypatch):
    """What did not converge tells no number, and says why."""

    def failing(design, *, seed):
        raise FitNotUsableError("The chains disagree: R-hat is 1.300, at most 1.01 is sound.")

    _, rows_of = faked(monkeypatch, fit_heavy_tails=failing)
    (row,) = rows_of(designs[0])["magnesium − placebo"]
    assert (row.effect, row.probability, row.verdict) == (None, None, None)
    assert row.why_not.startswith("The chains disagree")


def test_draws_of_chains_that_disagree_are_refused():
    """R-hat, ESS and divergences are asked of slow draws as of the registered ones; ν and r are asked too."""
    stats = xr.Dataset(
        {name: (("chain", "draw"), np.random.default_rng(2).normal(size=(4, 500))) for name in ("energy",)}
    )
    sound = draws(0.0, 0.0)

    def sampled(diverging):
        still = stats.assign(diverging=(("chain", "draw"), np.full((4, 500), diverging)))
        return Sampled({}, still)

    require_converged(sound, sampled(diverging=False))
    with pytest.raises(FitNotUsableError, match="diverged"):
        require_converged(sound, sampled(diverging=True))
    apart = sound["effect"] + 3.0 * np.arange(4)[:, None]
    for name in ("effect", "nu", "correlation"):
        with pytest.raises(FitNotUsableError, match="chains disagree"):
            require_converged(sound.assign({name: apart}), sampled(diverging=False))


def test_slow_rows_stand_in_the_order_of_the_table(designs):
    """Whatever the order in which rows were made, they are told in one order, the slow ones last."""
    rows = [not_told(name, designs[0], "x") for name in ("latent_ar", "heavy_tails", "concurrent", "sceptical")]
    assert [row.name for row in in_order(rows)] == ["sceptical", "concurrent", "heavy_tails", "latent_ar"]
    assert ALTERNATIVES[-2:] == ("heavy_tails", "latent_ar")


def joint_of(designs, failed, monkeypatch):
    """What the joint model would be asked, and the words before it."""
    asked, said = [], []
    monkeypatch.setattr(slow, "joint_account", lambda deep, latency, *, seed: asked.append((deep, latency)) or "told")
    return slow.joint_of(designs, failed, seed=1, progress=said.append), asked, said


def test_both_are_fitted_together_where_both_are(designs, monkeypatch):
    """Deep sleep and the first latency are fitted together, in whichever order they stand; one alone is not."""
    told, asked, said = joint_of(designs[::-1], {}, monkeypatch)
    assert told == "told"
    assert asked == [tuple(designs)]
    assert said == ["trying deep sleep and time to fall asleep together"]
    for alone in designs:
        assert joint_of([alone], {}, monkeypatch) == (None, [], [])


def test_an_outcome_that_cannot_be_used_alone_is_not_used_together(designs, monkeypatch):
    """The reason of the one is the reason of both, and nothing is sampled."""
    told, asked, _ = joint_of(designs, {"sol_min": "The device's latency is not a measurement."}, monkeypatch)
    assert told == not_joint(*designs, "The device's latency is not a measurement.")
    assert asked == []


def test_a_joint_fit_that_failed_says_so(designs, monkeypatch):
    """What did not converge leaves the account of the nights and the reason; a hurdle is one of them."""
    from nof1.model import joint

    def failing(deep, latency, *, seed):
        raise FitNotUsableError("3 draws diverged")

    hurdle = replace(designs[1], zeros=SimpleNamespace(chosen=True))
    told = joint_account(designs[0], hurdle, seed=1)
    assert "model of their own" in told.why_not
    monkeypatch.setattr(joint, "fit_joint", failing)
    told = joint_account(*designs, seed=1)
    assert (told.why_not, told.contrasts, told.correlation) == ("3 draws diverged", (), None)
    assert told.nights_both > 50
