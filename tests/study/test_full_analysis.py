"""The slow alternatives are there where somebody asked for them, and nowhere else. Nothing is sampled here."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export

from nof1.model import checked, sensitivity, slow
from nof1.study import estimation
from nof1.study.analysis import analyse
from nof1.study.study import Study, open_study

NIGHTS = 80


@pytest.fixture
def study(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A trial that has ended; the registered fit fails at once."""
    (typist.home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=30))
    (typist.home / "schedule.csv").write_text(schedule_csv(alternating(10), NIGHTS))
    write_export(typist.home / "takeout.zip", NIGHTS)
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", "s")
    typist.does("import", "takeout.zip", "--study", "s")
    monkeypatch.setattr(checked, "fit_checked", lambda *_, **__: {})
    return open_study(typist.home / "s", clock=lambda: typist.now)


def test_without_full_nothing_is_fitted_together(study: Study) -> None:
    """The key is there and null: nobody asked."""
    result = analyse(study).result
    assert result["joint"] is None


def test_with_full_the_account_is_in_the_result(study: Study) -> None:
    """Deep sleep and latency have an account together; without a usable fit of their own it says why, and no number."""
    told = analyse(study, full=True).result["joint"]
    assert told["measures"] == ["deep_min", "sol_min"]
    assert told["why_not"] == "The model was not fitted."
    assert (told["correlation"], told["contrasts"]) == (None, [])


def test_slow_rows_join_the_others_only_where_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --full a contrast has its slow row after the fast ones; without, no slow model is touched."""
    row: Any = lambda name: SimpleNamespace(name=name)  # noqa: E731
    monkeypatch.setattr(estimation, "_fast_alternatives", lambda *_: {"a − b": (row("sceptical"), row("flat"))})
    monkeypatch.setattr(slow, "slow_alternatives", lambda *_, **__: {"a − b": (row("heavy_tails"),)})
    rules = SimpleNamespace(protocol=SimpleNamespace(analysis=None))
    material: Any = SimpleNamespace(trial=rules, seed=1)

    def rows(*, full: bool) -> list[str]:
        nothing: Any = None
        told = estimation._alternatives(material, nothing, nothing, 16, say=print, full=full)
        return [one.name for one in told["a − b"]]

    assert rows(full=True) == ["sceptical", "flat", "heavy_tails"]
    assert rows(full=False) == ["sceptical", "flat"]
    assert "heavy_tails" in sensitivity.ALTERNATIVES


def test_quick_and_full_contradict_each_other(typist: Typist) -> None:
    """The one leaves every alternative out and the other tries more of them: exit code 2, and help tells the cost."""
    refused = typist("analyse", "--quick", "--full", "--study", "s")
    assert refused.exit_code == 2
    assert "one at a time" in refused.stderr
    assert "two minutes" in typist.does("analyse", "--help")


def test_the_command_asks_for_the_slow_ones(study: Study, typist: Typist) -> None:
    """``nof1 analyse --full`` writes the account, and ends as ever where the primary outcome has no usable fit."""
    told = typist("analyse", "--full", "--study", "s")
    assert told.exit_code == 69
    assert "say together is not told: The model was not fitted." in " ".join(told.stdout.split())
