"""``nof1 kits`` and what the commands of a sealed trial print."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cases import ZONE, Typist

LABELS = ("Quartz dust", "Chalk dust", "quartz", "chalk")

PROTOCOL = """
id = "dusts"
title = "Two sorts of capsules"
[[arm]]
code = "quartz"
label = "Quartz dust"
units_per_dose = 3
take = "with water"
[[arm]]
code = "chalk"
label = "Chalk dust"
units_per_dose = 3
take = "with water"
[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 3
transition_nights = 0
run_in_nights = 0
[blinding]
[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""


@pytest.fixture
def key(typist: Typist) -> Path:
    """A study in ``s`` with a sealed trial; the custodian's key lies beside it."""
    (typist.home / "dusts.toml").write_text(PROTOCOL)
    typist.does("init", "s", "--zone", ZONE)
    public = json.loads(typist.does("keygen", "safe.key", "--json"))["public_key"]
    words = ("--custodian", public, "--custodian-role", "partner", "--accept-weak-design")
    said = typist.does("start", "dusts.toml", "--on", "2026-12-01", *words, "--study", "s")
    assert "single-blind at best" in said
    assert "should not be the participant or the clinician" in said
    return typist.home / "safe.key"


def test_kits_lie_where_the_custodian_is(typist: Typist, key: Path) -> None:
    """By default the page is kits-P01.html in the working directory; inside the study that is refused with exit 2."""
    made = json.loads(typist.does("kits", "--key", key, "--study", "s", "--json"))
    assert Path(made["page"]) == typist.home / "kits-P01.html"
    inside = typist("kits", "--key", key, "--output", "s/kits.html", "--study", "s")
    assert inside.exit_code == 2
    assert "--output" in inside.stderr
    again = typist("kits", "--key", key, "--study", "s")
    assert again.exit_code == 73
    assert typist("kits", "--key", "no.key", "--output", "k.html", "--study", "s").exit_code == 66


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_no_command_of_a_sealed_trial_prints_an_arm(typist: Typist, key: Path, as_json: list[str]) -> None:
    """Today, schedule, status, log, pause, verify, kits and refusals speak of bottles, in words and in JSON."""
    typist.now = datetime(2026, 12, 5, 20, tzinfo=UTC)
    typist.does("unblind", "--period", "1", "--key", key, "--reason", "rash", "--study", "s")
    for words in (
        ("today",),
        ("today", "--date", "2026-12-02"),
        ("schedule",),
        ("status",),
        ("log", "--taken"),
        ("pause", "--reason", "flu"),
        ("resume", "--night", "2026-12-06"),
        ("verify",),
        ("kits", "--key", str(key)),
        ("analyse",),
        ("unblind", "--key", str(key), "--reason", "impatient"),
    ):
        said = typist(*words, *as_json, "--study", "s").output
        assert not any(label in said for label in LABELS), (words, said)


def test_the_schedule_names_bottles(typist: Typist, key: Path) -> None:
    """While sealed, the calendar says from which bottle."""
    said = typist.does("schedule", "--study", "s")
    assert all(f"bottle {number}" in said for number in range(1, 5))


def test_a_role_without_a_key_is_a_misunderstanding(typist: Typist) -> None:
    """Who holds a key can be said only where there is one."""
    (typist.home / "dusts.toml").write_text(PROTOCOL)
    typist.does("init", "s", "--zone", ZONE)
    words = ("--open-label", "--custodian-role", "self", "--accept-weak-design")
    result = typist("start", "dusts.toml", "--on", "2026-12-01", *words, "--study", "s")
    assert result.exit_code == 2
    assert "--passphrase" in result.stderr


def test_alone_with_a_passphrase_nothing_is_promised(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the key to their own trial is told what that is worth."""
    (typist.home / "dusts.toml").write_text(PROTOCOL)
    typist.does("init", "s", "--zone", ZONE)
    monkeypatch.setenv("ENVELOPE", "correct horse battery staple")
    words = ("--passphrase-env", "ENVELOPE", "--custodian-role", "self", "--accept-weak-design")
    said = typist.does("start", "dusts.toml", "--on", "2026-12-01", *words, "--study", "s")
    assert "concealed from nobody who wants to look" in said
    assert "Expectation cannot be told apart from effect" in said


def test_an_opening_that_tells_several_periods_counts_them(typist: Typist) -> None:
    """Where the order alternates, one period tells all the others, and the words say so."""
    typist.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    typist.does("keygen", "other.key")
    public = (typist.home / "other.key").read_text().splitlines()[0].removeprefix("# public key: ")
    typist.does("init", "abab", "--zone", "Europe/Berlin")
    sealed = ("--custodian", public, "--accept-weak-design", "--no-risks", "--study", "abab")
    typist.does("start", "abab-pilot", "--on", "2026-12-01", *sealed)
    told = typist.does("unblind", "--key", "other.key", "--period", "1", "--reason", "rash", "--study", "abab")
    assert "That also tells the arms of periods 2, 3, 4: " in told


def test_who_forgets_the_key_is_told_that_it_is_a_key(typist: Typist, key: Path) -> None:
    """Sealed to a key file, neither command asks for a passphrase that there is not; an opening says what next."""
    for words in (("unblind", "--period", "1", "--reason", "rash"), ("kits",)):
        refused = typist(*words, "--study", "s")
        assert refused.exit_code == 2
        assert "add --key FILE" in refused.stderr
    typist.now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    told = typist.does("unblind", "--period", "1", "--reason", "rash", "--key", key, "--study", "s")
    assert "nof1 stop" in told
    assert "concealed in part" in typist.does("status", "--study", "s")
