"""Synthetic results and posteriors: drawn from a seed, never from a person."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import xarray as xr

from nof1.report import figures, icons, number_line
from nof1.report.canvas import Figure

type Made = tuple[dict[str, Any], xr.DataTree]

ARMS = [
    {"code": "magnesium", "label": "Magnesium bisglycinate (its glycine included)", "reference": False},
    {"code": "placebo", "label": "Matching capsules without magnesium", "reference": True},
]
LATENCY = {
    "measure": "sol_min",
    "label": "sleep onset latency",
    "role": "secondary",
    "better": "lower",
    "worthwhile": None,
    "worthwhile_ratio": 0.8,
    "worthwhile_why": "The run-in median was 22 min, so the worthwhile change is a ratio of 0.80.",
}
DEEP = {
    "measure": "deep_min",
    "label": "deep sleep",
    "role": "primary",
    "better": "higher",
    "worthwhile": 10.0,
    "worthwhile_ratio": None,
    "worthwhile_why": "10 min were fixed in the protocol.",
}
FIRST_NIGHT = date(2026, 2, 1)


def summed_up(draws: np.ndarray) -> dict[str, Any]:
    """Sum draws up as the model room does."""
    low, start, median, end, high = np.quantile(draws, [0.025, 0.25, 0.5, 0.75, 0.975]).tolist()
    return {
        "median": median,
        "mean": float(draws.mean()),
        "sd": float(draws.std()),
        "ci50": [start, end],
        "ci95": [low, high],
    }


def planned_trial(rng: np.random.Generator, *, typical: float, effect: float, sd: float, log: bool) -> xr.Dataset:
    """Make seven run-in nights and six pairs of ten, the first three of each period set aside, a few unrecorded.

    Of one in three nights without a value there is a recording, without stages.
    """
    order = [arm for flip in rng.random(6) < 0.5 for arm in (("magnesium", "placebo")[:: 1 if flip else -1])]
    arm = [""] * 7 + [code for code in order for _ in range(10)]
    period = np.array([-1] * 7 + [number for number in range(12) for _ in range(10)])
    transition = np.array([False] * 7 + [day < 3 for _ in order for day in range(10)])
    on = np.array([code == "magnesium" for code in arm])
    value = rng.normal(typical + effect * on, sd)
    value = np.exp(value) if log else value
    value[rng.random(value.size) < 0.06] = np.nan
    empty = np.isnan(value)
    recorded = ~empty | (np.cumsum(empty) % 3 == 1)
    why = [
        "run_in" if number < 0 else "missing" if not there else "transition" if early else "unstaged" if none else ""
        for number, there, none, early in zip(period, recorded, empty, transition, strict=True)
    ]
    days = [(FIRST_NIGHT + timedelta(days=n)).isoformat() for n in range(value.size)]
    columns = {
        "date": days,
        "value": value,
        "arm": arm,
        "period": period,
        "transition": transition,
        "recorded": recorded,
        "used": np.array([not reason for reason in why]),
        "why_excluded": why,
    }
    return xr.Dataset({name: ("night", np.asarray(column)) for name, column in columns.items()})


def counted(planned: xr.Dataset) -> dict[str, Any]:
    """Count nights on an arm, as the result does."""
    on_arm = planned.isel(night=planned["period"].to_numpy() >= 0)
    why = on_arm["why_excluded"].to_numpy().tolist()
    used, arm = on_arm["used"].to_numpy(), on_arm["arm"].to_numpy()
    return {
        "planned": len(why),
        "recorded": int(on_arm["recorded"].sum()),
        "used": int(used.sum()),
        "excluded": {reason: why.count(reason) for reason in sorted(set(why) - {""})},
        "used_by_arm": {code: int((used & (arm == code)).sum()) for code in ("magnesium", "placebo")},
    }


def nights_by_arm(planned: xr.Dataset) -> dict[str, Any]:
    """Count the nights of each arm, as the result does."""
    told = {}
    for code in ("magnesium", "placebo"):
        own = planned.isel(night=planned["arm"].to_numpy() == code)
        one = counted(own)
        due = one["planned"] - one["excluded"].get("transition", 0)
        kept = {key: one[key] for key in ("planned", "recorded", "used", "excluded")}
        told[code] = kept | {"missing": 1 - one["used"] / due, "diary_says": {"travel": 2} if code == "placebo" else {}}
    return told


def tipping_point(centre: float, *, log: bool) -> dict[str, Any]:
    """Say what missing nights would have to be: only where the direction was clear."""
    clear = abs(centre) > 5
    distances = (1.128, 1.372, 1.884, 2.051) if log else (12.34, 41.27, 73.45, 94.21)
    found = distances if clear else (None, None, None, None)
    return {
        "direction": ("better" if centre > 0 else "worse") if clear else None,
        "unit": "ratio" if log else "min",
        **dict(zip(("verdict", "both", "arm", "reference"), found, strict=True)),
    }


def complier(delta: np.ndarray, *, log: bool) -> dict[str, Any]:
    """Divide the effect by the share of doses taken."""
    effect = delta / 0.934
    return {
        "effect": summed_up(np.exp(effect) if log else effect),
        "uptake": {"median": 0.934, "ci95": [0.871, 0.973]},
        "arm": {"taken": 37, "not_taken": 2, "unknown": 1},
        "reference": None,
        "why_not": None,
    }


GUESSED = ("magnesium", "magnesium", "placebo", None)
"""What was answered about the first four of twelve periods."""


def blinding_integrity() -> dict[str, Any]:
    """Two guesses right, one wrong, one "don't know", eight periods without an answer."""
    had = ("magnesium", "placebo", "placebo", "magnesium")
    told = [
        {
            "period": n,
            "arm": arm,
            "guess": guess,
            "sure": 60 if guess else None,
            "why": "softer stools" if n == 1 else None,
        }
        for n, (arm, guess) in enumerate(zip(had, GUESSED, strict=True), start=1)
    ]
    magnesium = {"right": 1, "wrong": 0, "dont_know": 1, "not_said": 4, "bang": {"index": 0.5, "ci95": [-0.33, 0.92]}}
    placebo = {"right": 1, "wrong": 1, "dont_know": 0, "not_said": 4, "bang": {"index": 0.0, "ci95": [-0.81, 0.81]}}
    return {
        "asked": True,
        "guesses": told,
        "by_arm": {"magnesium": magnesium, "placebo": placebo},
        "james": 0.625,
        "chance": 0.5,
        "trials": 2,
        "right": 1.5,
        "p_above_chance": 0.7122,
        "flagged": False,
        "could_flag": False,
    }


def side_effects() -> list[dict[str, Any]]:
    """Nausea on both arms, cramps never felt, and a run-in."""
    nights = {"magnesium": (60, 54, (30, 6, 2, 1)), "placebo": (60, 51, (40, 3, 0, 0)), None: (7, 5, (5, 0, 0, 0))}
    return [
        {
            "arm": arm,
            "nights": planned,
            "with_entry": entries,
            "symptoms": {
                "cramps": {"none": entries - 1, "mild": 0, "moderate": 0, "severe": 0, "not_said": 1},
                "nausea": dict(zip(("none", "mild", "moderate", "severe"), said, strict=True))
                | {"not_said": entries - sum(said)},
            },
        }
        for arm, (planned, entries, said) in nights.items()
    ]


FITTED = {
    "why_not_usable": None,
    "why_descriptive": None,
    "diagnostics": {
        "usable": True,
        "failures": [],
        "rhat_max": 1.0021,
        "ess_bulk_min": 1843.2,
        "ess_tail_min": 1502.7,
        "divergences": 0,
        "bfmi_min": 0.94,
        "chains": 4,
        "draws": 500,
        "engines": [],
        "doubts": {
            "predictive": {"tails": 0.4},
            "influential": {},
            "prior_sensitivity": 0.1,
            "prior_conflict": 0.6,
            "warnings": [],
        },
    },
    "sensitivity": [],
    "ci_kind": "eti",
}
"""What all outcomes that were fitted have in common."""


def probabilities(turned: np.ndarray, width: float | None) -> dict[str, float | None]:
    """Count draws of an effect that is turned so that more is better."""
    sized = width is not None
    return {
        "p_better": float((turned > 0).mean()),
        "p_better_worthwhile": float((turned > width).mean()) if sized else None,
        "p_worse": float((turned < 0).mean()),
        "p_worse_worthwhile": float((turned < -width).mean()) if sized else None,
        "p_no_worthwhile_difference": float((abs(turned) < width).mean()) if sized else None,
    }


def model_record(*, log: bool) -> dict[str, Any]:
    """Say which model it was."""
    return {
        "family": "lognormal" if log else "gaussian",
        "censored_below": 1.0 if log else None,
        "n_censored": 2 if log else 0,
        "priors": [
            {
                "name": "effect",
                "distribution": "Normal(0, 0.25)" if log else "Normal(0, 10)",
                "unit": "log ratio" if log else "min",
                "source": "half of a night-to-night standard deviation",
            },
            {
                "name": "sigma_weekday",
                "distribution": "LogNormal(-0.431, 0.3)",
                "unit": "log min per trial",
                "source": "covers +6.4 min of slow-wave sleep (doi:10.0000/s-0000-00000-of-a-long-identifier)",
            },
        ],
    }


def randomisation_test(centre: float, *, log: bool) -> dict[str, Any]:
    """Test the draw of six pairs."""
    return {
        "unit": "ratio" if log else "min",
        "summary": "median" if log else "mean",
        "level": 0.95,
        "statistic": float(np.exp(centre)) if log else centre,
        "p": 0.125,
        "p_studentised": 0.15625,
        "smallest_p": 0.03125,
        "n_sequences": 64,
        "exact": True,
        "confidence_set": [0.62, 1.27] if log else [centre - 9.4, centre + 9.1],
        "why_no_set": None,
        "why_refused": None,
    }


def outcome_and_groups(
    rng: np.random.Generator, about: dict[str, Any], verdict: str, centre: float, sd: float
) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """Make one outcome with the draws behind it; ``centre`` and ``sd`` are on the model's scale."""
    log = about["measure"] == "sol_min"
    delta = rng.normal(centre, sd, (4, 500))
    prior_delta = rng.normal(0, 0.25 if log else 10, 1000)
    base = 22.0
    effect, prior_effect = (base * np.expm1(d) if log else d for d in (delta, prior_delta))
    turned = delta if about["better"] == "higher" else -delta
    width = -np.log(0.8) if log else about["worthwhile"]
    planned = planned_trial(rng, typical=np.log(base) if log else 72, effect=centre, sd=0.6 if log else 18, log=log)
    reference = np.exp(rng.normal(np.log(base), 0.05, 2000)) if log else rng.normal(72, 2, 2000)
    treated = reference * np.exp(delta.ravel()) if log else reference + delta.ravel()
    outcome = {
        **about,
        **deepcopy(FITTED),
        "unit": "min",
        "arm": "magnesium",
        "reference": "placebo",
        "effect": summed_up(effect),
        "ratio": summed_up(np.exp(delta)) if log else None,
        "levels": {
            code: {"median": summed_up(draws)["median"], "ci95": summed_up(draws)["ci95"]}
            for code, draws in (("magnesium", treated), ("placebo", reference))
        },
        "probability": probabilities(turned, width),
        "verdict": verdict,
        "nights": counted(planned),
        "model": model_record(log=log),
        "more": {"pairs": 4, "chance": 0.823, "is_enough": True} if verdict == "not_enough_to_tell" else None,
        "randomisation_test": randomisation_test(centre, log=log),
        "missing": {"by_arm": nights_by_arm(planned), "tipping_point": tipping_point(centre, log=log)},
        "complier": complier(delta, log=log),
    }
    groups = {
        "posterior": xr.Dataset({"effect": (("chain", "draw"), effect), "delta": (("chain", "draw"), delta)}),
        "prior": xr.Dataset({"effect": ("draw", prior_effect), "delta": ("draw", prior_delta)}),
        "constant_data": planned,
    }
    return outcome, groups


CENTRES = {
    "meaningful_benefit": (16.0, 4.0),
    "benefit": (11.5, 4.5),
    "better_size_unclear": (6.0, 2.0),
    "meaningful_worsening": (-16.0, 4.0),
    "worsening": (-11.5, 4.5),
    "worse_size_unclear": (-6.0, 2.0),
    "no_worthwhile_difference": (0.5, 3.0),
    "not_enough_to_tell": (3.5, 5.0),
}
"""Means and standard deviations of a normal posterior in minutes, for which report.md's rules give the verdict."""


def refused(outcome: dict[str, Any], why: str) -> dict[str, Any]:
    """Turn the randomisation test of an outcome into one that was refused."""
    test = outcome["randomisation_test"]
    kept = {key: test[key] for key in ("unit", "summary", "level")}
    return dict.fromkeys(test) | kept | {"why_refused": why}


def without_numbers(outcome: dict[str, Any]) -> dict[str, Any]:
    """Turn an outcome into one whose fit failed: no claim, and the reason."""
    diagnostics = outcome["diagnostics"] | {"usable": False, "failures": ["R-hat of sigma is 1.08; it must be ≤ 1.01"]}
    return outcome | {
        "effect": None,
        "ratio": None,
        "levels": None,
        "probability": None,
        "verdict": "not_usable",
        "why_not_usable": "The four chains disagree (R-hat 1.08), so their draws are not an answer.",
        "diagnostics": diagnostics,
        "missing": outcome["missing"] | {"tipping_point": None},
        "complier": None,
        "randomisation_test": refused(outcome, "The four chains disagree (R-hat 1.08), so their draws are no answer."),
    }


PROTOCOL = {
    "id": "magnesium-glycinate",
    "title": "Magnesium bisglycinate or placebo for sleep: a randomised trial in one person",
    "question": "Does 200 mg elemental magnesium in the evening give this person more deep sleep, "
    "or a shorter time to fall asleep?",
    "blocks": 6,
    "period_nights": 10,
    "transition_nights": 3,
    "shows": "Can show what this form of magnesium does. Cannot tell magnesium from glycine.",
    "thresholds": {"benefit": 0.95, "worthwhile": 0.5, "meaningful": 0.8, "no_worthwhile_difference": 0.975},
}
TRIAL = {
    "first_night": "2026-02-01",
    "last_night": "2026-06-07",
    "planned_nights": 120,
    "stream": "fitbit/sleep_stages_v2",
    "latency_source": "diary",
    "night_boundary_h": 12,
    "registered": "2026-01-20",
    "registered_before_first_night": True,
    "doses": {
        "magnesium": {"due": 60, "taken": 57, "not_taken": 2, "unknown": 1, "taken_not_due": 0},
        "placebo": {"due": 60, "taken": 58, "not_taken": 0, "unknown": 2, "taken_not_due": 0},
    },
    "deviations": [],
}
PROVENANCE = {
    "nof1": "0.1.0",
    "pymc": "6.2.0",
    "nutpie": "0.16.11",
    "arviz": "1.3.0",
    "python": "3.13.1",
    "seed": 4021,
    "protocol_sha256": "ab" * 32,
    "chain_head": "cd" * 32,
    "sleep_files": ["ef" * 32, "01" * 32],
}


def made(verdict: str, *, blinding: str = "double-blind", drawn_by_nof1: bool = True) -> Made:
    """Make a result and its posterior for one verdict of deep sleep, beside a latency that is told as a ratio."""
    rng = np.random.default_rng(20261122)
    centre, sd = CENTRES.get(verdict, CENTRES["not_enough_to_tell"])
    deep, deep_groups = outcome_and_groups(rng, DEEP, verdict, centre, sd)
    latency, latency_groups = outcome_and_groups(rng, LATENCY, "not_enough_to_tell", -0.12, 0.14)
    if verdict == "not_usable":
        deep = without_numbers(deep)
    if verdict == "descriptive_only":
        deep["why_descriptive"] = "The device guessed when bed began, and the treatment may move that guess."
        deep["randomisation_test"] = refused(deep, "Numbers that carry no verdict get no p either.")
    if not drawn_by_nof1:
        for outcome in (deep, latency):
            outcome["randomisation_test"] = refused(outcome, "The schedule was brought.")
    scheme = "randomised-pairs" if drawn_by_nof1 else "fixed"
    result = {
        "schema": 1,
        "participant": "P01",
        "blinding": blinding,
        "protocol": PROTOCOL | {"scheme": scheme, "drawn_by_nof1": drawn_by_nof1},
        "trial": deepcopy(TRIAL),
        "arms": [dict(arm) for arm in ARMS],
        "outcomes": [deep, latency],
        "blinding_integrity": blinding_integrity() if blinding == "double-blind" else None,
        "side_effects": side_effects(),
        "provenance": deepcopy(PROVENANCE),
    }
    tree = xr.DataTree.from_dict(
        {
            f"/{outcome['measure']}/{name}": group
            for outcome, groups in ((deep, deep_groups), (latency, latency_groups))
            for name, group in groups.items()
        }
    )
    return result, tree


@pytest.fixture(scope="session")
def make() -> Callable[..., Made]:
    """Give tests the maker of results."""
    return made


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures blank, for tests that read only words."""
    for room, name in (
        (figures, "nights_figure"),
        (figures, "posterior_figure"),
        (icons, "figure"),
        (number_line, "figure"),
    ):
        monkeypatch.setattr(room, name, lambda *_: Figure(wide="<svg/>", narrow="<svg/>", alternative=""))
