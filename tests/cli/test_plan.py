"""``nof1 plan`` as a person meets it."""

import json
from pathlib import Path

import pytest
from tests.cases import ZONE, Typist, write_export

from nof1.model import plan as model
from nof1.study import plan as planning


@pytest.fixture(autouse=True)
def few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate few trials: the numbers are the model's business."""
    monkeypatch.setattr(planning, "TRIALS", 4)
    monkeypatch.setattr(model, "SEARCH_TRIALS", 2)


def test_a_plan_is_printed_and_drawn(typist: Typist) -> None:
    """Sentences, a table of chances, and a figure on request; outside a study too."""
    text = typist.does("plan", "magnesium-glycinate", "--figure", "plan.svg")
    for words in ("Deep sleep, magnesium − placebo", "no effect", "worthwhile", "Monte Carlo error", "by default"):
        assert words in text
    assert "\nIn short: " in text
    assert (typist.home / "plan.svg").read_text().startswith("<svg")
    assert max(map(len, text.splitlines())) <= 80
    again = typist("plan", "magnesium-glycinate", "--figure", "plan.svg")
    assert again.exit_code == 73


def test_a_plan_has_json(typist: Typist) -> None:
    """Every number is there for scripts, with its Monte Carlo error and the seed."""
    told = json.loads(typist.does("plan", "abab-pilot", "--json"))
    assert told["told"]["by_effect"]["prior"]["effect"] is None
    shares = told["told"]["by_effect"]["large"]["verdicts"].values()
    assert sum(one["share"] for one in shares) == pytest.approx(1.0)
    assert all(one["error"] > 0 for one in shares)
    assert told["seed"] == model.SEED


def test_inside_a_study_its_nights_tell_the_noise(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stands in a study, or names one, plans with the nights that are there."""
    write_export(typist.home / "takeout.zip", 40)
    typist.does("init", "s", "--zone", ZONE)
    typist.does("import", "takeout.zip", "--study", "s")
    assert "nights of your own" in typist.does("plan", "abab-pilot", "--study", "s")
    monkeypatch.chdir(typist.home / "s")
    assert "nights of your own" in typist.does("plan", "abab-pilot")
    assert "by default" in typist.does("plan", "abab-pilot", "--noise", "default")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["plan", "no-such"], 66, "no-such"),
        (["plan", "abab-pilot", "--noise", "own"], 66, "nof1 init"),
        (["plan", "abab-pilot", "--study", "nowhere"], 66, "nowhere"),
        (["plan", "abab-pilot", "--participant", "P01"], 66, "nof1 init"),
    ],
)
def test_what_is_not_there_is_said(typist: Typist, words: list[str], code: int, says: str) -> None:
    """A protocol or a study that is not there ends with its exit code and what to do."""
    result = typist(*words)
    assert result.exit_code == code
    assert says in result.stderr
    assert not (typist.home / Path("s")).exists()
