"""Every protocol that is shipped can be used as it is."""

import re
import tomllib
from dataclasses import replace
from importlib import resources

import pytest

from nof1.trial.allocation import smallest_p
from nof1.trial.protocol import Protocol, parse_protocol
from nof1.trial.scheme import FIXED
from nof1.trial.strength import weaknesses

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
    """Three salts against placebo, salt against salt, both at once, an open form, a drink, a bedtime."""
    assert set(TEXTS) >= {
        "abab-pilot",
        "fixed-bedtime",
        "glycinate-or-citrate",
        "magnesium-citrate",
        "magnesium-forms",
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
    """One arm is the reference, but where two treatments are compared; and nothing is drawn elsewhere."""
    assert parsed(name).has_reference != (name == "glycinate-or-citrate")
    assert parsed(name).design.scheme != FIXED


@EVERY
def test_concealed_arms_cannot_be_told_apart_by_counting_or_by_words(name: str) -> None:
    """Where the arms are concealed, each has as many units a dose as the others, and the same words beside them."""
    protocol = parsed(name)
    if protocol.conceals:
        assert len({(arm.units_per_dose, arm.take) for arm in protocol.arms}) == 1
        assert protocol.arms[0].units_per_dose
        assert protocol.arms[0].take


@EVERY
def test_a_shipped_protocol_names_its_sources(name: str) -> None:
    """Its head names papers that can be looked up: author, year, journal."""
    sources = TEXTS[name].partition("# Sources:\n")[2].partition("\n\n")[0]
    assert len(re.findall(r"^#   \S.* (?:19|20)\d\d, ", sources, re.MULTILINE)) >= 2


@EVERY
def test_the_salt_holds_the_magnesium_that_is_written(name: str) -> None:
    """The comment's grams of salt, by their molar masses, hold the elemental milligrams of the arm."""
    share = {"bisglycinate": 24.305 / 172.42, "citrate": 3 * 24.305 / 451.11, "oxide": 24.305 / 40.304}
    said = re.findall(r'salt = "(\w+)"(?:\n#.*)*\nelemental_mg = (\d+)', TEXTS[name])
    grams = re.findall(r"about (\d\.\d+) g of it", TEXTS[name])
    assert len(grams) == len(said)
    for (salt, elemental), salt_g in zip(said, grams, strict=True):
        assert share[salt] * float(salt_g) * 1000 == pytest.approx(float(elemental), rel=0.02)


@EVERY
def test_only_the_pilot_is_weak(name: str) -> None:
    """No shipped design is weak but the pilot, which says so itself."""
    assert bool(weaknesses(parsed(name))) == (name == "abab-pilot")


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
