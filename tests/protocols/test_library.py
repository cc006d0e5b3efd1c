"""Every protocol that is shipped can be used as it is."""

import tomllib
from dataclasses import replace
from importlib import resources

import pytest

from nof1.trial.allocation import smallest_p
from nof1.trial.protocol import Protocol, parse_protocol
from nof1.trial.scheme import FIXED

TEXTS = {
    entry.name.removesuffix(".toml"): entry.read_text("utf-8")
    for entry in resources.files("nof1_protocols").iterdir()
    if entry.name.endswith(".toml")
}
EVERY = pytest.mark.parametrize("name", sorted(TEXTS))


def parsed(name: str) -> Protocol:
    """Parse a shipped protocol."""
    return parse_protocol(TEXTS[name], where=f"{name}.toml")


def as_toml(value: object) -> str:
    """Write parsed TOML back as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value).lower()


def test_the_library_holds_what_people_ask_for() -> None:
    """The eight protocols of the first library are there."""
    assert set(TEXTS) >= {
        "abab-pilot",
        "fixed-bedtime",
        "magnesium-citrate",
        "magnesium-glycinate",
        "magnesium-long",
        "magnesium-or-none",
        "magnesium-oxide",
        "tart-cherry-magnesium",
    }


@EVERY
def test_a_shipped_protocol_has_no_mistake(name: str) -> None:
    """It parses, and is called what its file is called."""
    assert parsed(name).id == name


@EVERY
def test_a_shipped_protocol_survives_being_rewritten(name: str) -> None:
    """Written out again from its parsed TOML, without comments and in another layout, it is the same protocol."""
    raw = tomllib.loads(TEXTS[name])
    rewritten = "\n".join(f"{key} = {as_toml(value)}" for key, value in raw.items())
    assert replace(parse_protocol(rewritten), sha256=parsed(name).sha256) == parsed(name)


@EVERY
def test_a_shipped_protocol_says_what_it_can_and_cannot_show(name: str) -> None:
    """Its one-line account names both sides."""
    shows = parsed(name).shows
    assert "Can show" in shows
    assert "annot" in shows or "would not mean" in shows or "may give the arm away" in shows
    assert "\n" not in shows


@EVERY
def test_a_shipped_protocol_stays_under_the_european_limit(name: str) -> None:
    """No arm goes above 250 mg elemental magnesium, so none needs an acknowledgement."""
    doses = [arm.elemental_mg for arm in parsed(name).arms if arm.elemental_mg is not None]
    assert all(dose <= 250 for dose in doses)
    assert not any(arm.acknowledged_above_limit for arm in parsed(name).arms)


@EVERY
def test_a_shipped_protocol_marks_its_reference(name: str) -> None:
    """One arm is the reference, and nothing is drawn elsewhere."""
    assert parsed(name).has_reference
    assert parsed(name).design.scheme != FIXED


@EVERY
def test_open_label_protocols_say_so(name: str) -> None:
    """What does not conceal its arms has the words in its title."""
    assert parsed(name).conceals != ("open-label" in parsed(name).title)


def test_the_pilot_cannot_reach_any_significance() -> None:
    """The strict ABAB pilot has a smallest two-sided p of 1, the default design one below 0.05."""
    pilot, default = parsed("abab-pilot"), parsed("magnesium-glycinate")
    assert smallest_p(pilot.design, pilot.arms) == 1
    smallest = smallest_p(default.design, default.arms)
    assert smallest is not None
    assert smallest < 0.05


def test_a_trial_without_capsules_asks_nothing_about_magnesium() -> None:
    """The fixed bedtime has no dose, no medicine to separate, and a warning about driving while sleepy."""
    safety = parsed("fixed-bedtime").safety
    assert not safety.separate
    assert not any("kidney" in question for question in safety.ask_before)
    assert any("drive" in warning for warning in safety.warnings)
    assert "crisis line" in safety.emergency
