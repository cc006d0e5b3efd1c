"""A trial of three arms from start to finish, sealed, through the commands a person types."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cases import ZONE, Typist, write_export

from nof1.report.sentences import arm_name, headline
from nof1.store.seal import Key
from nof1.study.demo import InventedPerson
from nof1.study.sealing import open_seal
from nof1.study.study import open_study
from nof1.study.trials import read_trial, start_trial

FIRST = date(2026, 1, 5)
BEFORE = datetime(2026, 1, 4, 12, tzinfo=UTC)
AFTER = datetime(2026, 11, 22, 12, tzinfo=UTC)
NIGHTS = 7 + 6 * 3 * 10
TRUTH = {"bisglycinate": 30.0, "placebo": 0.0, "citrate": 15.0}
STEADY = InventedPerson(deep_sd=8.0, period_sd=0.5, missing=0.04)
"""Sleeps so evenly that an effect shows to the minute."""

type Lived = tuple[dict[str, Any], str, str]
"""result.json, what analyse prints, and the page."""


def arms_by_night(study: Path, key: Path) -> list[str]:
    """What nature knows: the arm of each evening, the empty text for none."""
    opened = open_study(study)
    with opened.record() as record:
        trial = read_trial(opened, record)
    sequence = open_seal(trial, Key(file=key)).allocation.sequence
    evenings = (FIRST + timedelta(days=night) for night in range(NIGHTS))
    periods = (trial.schedule.period_on(evening) for evening in evenings)
    return [sequence[period.number - 1] if period else "" for period in periods]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A person lives through magnesium-forms, concealed to the end; the forms add 30 and 15 minutes."""
    home = tmp_path_factory.mktemp("three")
    typist, study, key = Typist(home), home / "study", home / "custodian.key"
    here = ("--study", study)
    typist.now = BEFORE
    typist.does("init", study, "--zone", ZONE)
    public = typist.does("keygen", key).split()[-1]
    sealed = ("--custodian", public, "--custodian-role", "pharmacist", "--no-risks")
    with pytest.MonkeyPatch.context() as patch:  # the same draw in every run, or an interval would miss in some
        patch.setitem(start_trial.__kwdefaults__ or {}, "entropy", lambda count: bytes(range(count)))
        began = typist.does("start", "magnesium-forms", "--on", FIRST, *sealed, *here)
    assert "18 periods, 180 nights" in began
    assert "could reach with this design: 0.0312." in began
    typist.does("kits", "--key", key, "--output", home / "kits.html", *here)
    kits = (home / "kits.html").read_text()
    assert kits.count("Whoever reads this knows this bottle alone.") == 18
    arms = arms_by_night(study, key)
    write_export(home / "takeout.zip", NIGHTS, lambda night: TRUTH.get(arms[night], 0.0), person=STEADY, first=FIRST)
    typist.now = AFTER
    typist.does("import", home / "takeout.zip", *here)
    typist.does("lock", "--looked", "no", *here)
    typist.does("unblind", "--key", key, "--reason", "the trial is over", *here)
    said = typist.does("analyse", *here)
    typist.does("report", "--only", "patient", *here)
    assert "CENT 2015" not in (study / "reports" / "P01" / "report.html").read_text()
    typist.does("baseline", "--age-band", "30-39", *here)
    typist.does("report", *here)
    typist.does("verify", *here)
    result = json.loads((study / "reports" / "P01" / "result.json").read_text())
    return result, said, (study / "reports" / "P01" / "report.html").read_text()


def test_every_declared_contrast_has_its_effect_and_verdict(lived: Lived) -> None:
    """Thirty, fifteen and nothing are found as three differences, each with its sign, verdict and nights."""
    deep = [outcome for outcome in lived[0]["outcomes"] if outcome["measure"] == "deep_min"]
    pairs = [(outcome["arm"], outcome["reference"]) for outcome in deep]
    assert pairs == [("bisglycinate", "placebo"), ("citrate", "placebo"), ("bisglycinate", "citrate")]
    for outcome in deep:
        low, high = outcome["effect"]["ci95"]
        assert 0 < low < TRUTH[outcome["arm"]] - TRUTH[outcome["reference"]] < high
        assert outcome["verdict"] in {"meaningful_benefit", "benefit"}
        assert outcome["nights"]["planned"] == 120
        assert set(outcome["nights"]["used_by_arm"]) == {outcome["arm"], outcome["reference"]}


def test_only_the_two_compared_could_have_changed_places(lived: Lived) -> None:
    """Each contrast has a p of its own over the 2^6 orders of its two arms, and with such effects the smallest."""
    for outcome in lived[0]["outcomes"]:
        test = outcome["randomisation_test"]
        if outcome["measure"] == "deep_min":
            assert (test["n_sequences"], test["p"], test["smallest_p"]) == (2**6, 2 / 2**6, 2 / 2**6)
        else:
            assert "carry no verdict" in test["why_refused"]


def test_the_best_arm_is_told_with_its_error(lived: Lived) -> None:
    """Bisglycinate is the best arm, almost surely; it is said once, and of the latency, which only describes, never."""
    result, said, page = lived
    best = [outcome["best_arm"] for outcome in result["outcomes"]]
    assert {told["arm"] for told in best if told} == {"bisglycinate"}
    assert [told is None for told in best] == [False] * 3 + [True] * 3
    for text in (" ".join(said.split()), " ".join(page.split())):
        assert text.count("Which arm has the best deep sleep: bisglycinate over 99 %") == 1
        assert "That another one is better than bisglycinate has a probability of under 1 %." in text


def test_page_and_terminal_name_every_contrast(lived: Lived) -> None:
    """Two forms are held to the placebo as benefits, to each other as what is favoured; the page has a row of each."""
    result, said, page = lived
    assert "Favours bisglycinate: deep sleep is longer on bisglycinate than on citrate" in " ".join(said.split())
    record = page.partition('class="clinician')[2]
    for outcome in result["outcomes"]:
        assert headline(outcome, result["arms"], blinding=result["blinding"]) in " ".join(said.split())
        assert record.count(f'"row">{arm_name(outcome["arm"])} − {arm_name(outcome["reference"])}, min') == 2
    assert page.count("Every night. Filled") == 2
    assert "6 comparisons were made: 3 arms, and 2 outcomes." in page


def test_what_stands_beside_the_effects_is_in_the_result_and_on_the_page(lived: Lived) -> None:
    """Each contrast has its own arms' nights; nobody guessed or wrote a diary, and both are said."""
    result, _, page = lived
    for outcome in result["outcomes"]:
        by_arm = outcome["missing"]["by_arm"]
        assert {code: one["used"] for code, one in by_arm.items()} == outcome["nights"]["used_by_arm"]
        assert sum(one["planned"] for one in by_arm.values()) == outcome["nights"]["planned"]
        assert outcome["complier"] is None or outcome["complier"]["why_not"]
    first = result["outcomes"][0]
    assert first["missing"]["tipping_point"]["direction"] == "better"
    assert first["missing"]["tipping_point"]["both"] > 0
    assert result["blinding_integrity"]["chance"] == pytest.approx(1 / 3)
    assert "No guess is on record" in page
    assert {one["arm"] for one in result["side_effects"]} == {*TRUTH, None}
    assert "nothing is known of side effects" in page


def test_the_page_holds_the_checklist_and_the_trial_as_lived(lived: Lived) -> None:
    """What the record knows fills CENT 2015: the order lived, the person as the baseline tells it, and the doses."""
    result, _, page = lived
    text = " ".join(page.split())
    assert "CENT 2015" in text
    assert "18 periods of 10 nights, 180 nights in all, in the order of 8c." in text
    assert f"age: 30-39; as told on {AFTER:%Y-%m-%d}." in text
    doses = sum(arm["unknown"] for arm in result["trial"]["doses"].values())
    assert f"{doses} dose not logged" in text
