"""A fit that fails a check is made once more, and only once."""

from dataclasses import replace

import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model import checked, nuts
from nof1.model.checked import fit_checked
from nof1.model.design import build_design
from nof1.model.diagnose import Diagnostics

SOUND = Diagnostics(
    usable=True,
    failures=(),
    divergences=0,
    chains=4,
    draws=1_000,
    engines=(),
    doubts=None,
    rhat_max=1.0,
    ess_bulk_min=900.0,
    ess_tail_min=900.0,
    bfmi_min=1.0,
)
FAILED = replace(SOUND, usable=False, failures=("The chains disagree.",))


@pytest.fixture(scope="module")
def designs():
    """Both outcomes of one simulated trial."""
    nights, calendar = simulated_trial(seed=3)
    return [build_design(nights, calendar, one, arms=ARMS, exclude_flags=[]) for one in (DEEP, LATENCY)]


@pytest.mark.parametrize(
    ("judged", "counts"),
    [
        ({"deep_min": [SOUND], "sol_min": [SOUND]}, {"deep_min": "first", "sol_min": "first"}),
        ({"deep_min": [FAILED, SOUND], "sol_min": [SOUND]}, {"deep_min": "second", "sol_min": "first"}),
        ({"deep_min": [FAILED, FAILED], "sol_min": [SOUND]}, {"deep_min": "second", "sol_min": "first"}),
    ],
    ids=["sound", "sound the second time", "failed twice"],
)
def test_the_second_fit_counts_where_the_first_fails(designs, monkeypatch, judged, counts):
    """A sound fit is left alone; one that fails is made again, and whatever the checks say of that one stands."""
    left, said = {name: list(found) for name, found in judged.items()}, []
    monkeypatch.setattr(checked, "fit", lambda designs, **_: {one.measure.name: "first" for one in designs})
    monkeypatch.setattr(checked, "refit", lambda design, **_: "second")
    monkeypatch.setattr(checked, "diagnose", lambda design, tree: left[design.measure.name].pop(0))
    found = fit_checked(designs, seed=1, progress=said.append)
    assert {name: tree for name, (tree, _) in found.items()} == counts
    assert {name: checks for name, (_, checks) in found.items()} == {name: each[-1] for name, each in judged.items()}
    assert not any(left.values())
    assert len(said) == sum(len(each) - 1 for each in judged.values())


def test_a_fit_made_again_is_longer_and_begins_elsewhere(designs, monkeypatch):
    """It has the draws of a long one, and none of the draws of the first."""
    for name, value in (("LONG_DRAWS", 60), ("LONG_TUNE", 100)):
        monkeypatch.setattr(nuts, name, value)
    width = nuts.width_of(designs)
    again = nuts.refit(designs[0], width=width, seed=1)
    other = nuts.refit(designs[0], width=width, seed=2)
    assert dict(again["posterior"].sizes)["draw"] == 60
    assert not (again["posterior"]["effect"].to_numpy() == other["posterior"]["effect"].to_numpy()).any()
