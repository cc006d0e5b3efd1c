"""The gate asks what the protocol asks, and says of a dose what the protocol says."""

import pytest

from nof1.errors import ProtocolError, UsageError
from nof1.trial.baseline import Baseline
from nof1.trial.protocol import Protocol, parse_protocol
from nof1.trial.safety import (
    Clinician,
    Dose,
    SafetyAnswers,
    denied_by_baseline,
    doses,
    questions_before_start,
    separations_for,
)
from nof1.trial.safety_rules import GENERAL, Safety

SEPARATE = Safety().separate


def protocol(arm: str = "", rest: str = "") -> Protocol:
    """Parse a small protocol whose first arm has these keys."""
    return parse_protocol(f"""
[[arm]]
code = "a"
label = "A"
{arm}
[[arm]]
code = "b"
label = "B"
reference = true
[design]
scheme = "randomised-pairs"
[[outcome]]
measure = "deep_min"
{rest}
""")


def test_only_who_takes_a_supplement_is_asked_about_it() -> None:
    """The default questions go with a dose; a protocol's own go with it in any case; of whatever else is taken the
    general ones are asked, unless it is no dose at all or the protocol says why none is needed."""
    assert questions_before_start(protocol()) == GENERAL
    assert questions_before_start(protocol("elemental_mg = 0")) == GENERAL
    assert questions_before_start(protocol(rest="[safety]\nask_before = []")) == GENERAL
    assert questions_before_start(protocol("units_per_dose = 0")) == ()
    assert questions_before_start(protocol(rest='[safety]\nnothing_to_ask = "hot water"')) == ()
    assert questions_before_start(protocol("elemental_mg = 200")) == Safety().ask_before
    assert questions_before_start(protocol(rest='[safety]\nask_before = ["epilepsy"]')) == ("epilepsy",)


def test_a_reason_to_ask_nothing_stands_alone() -> None:
    """Beside a mineral, or beside questions, a reason why nothing is asked is a mistake with its key path."""
    reason = '[safety]\nnothing_to_ask = "hot water"'
    with pytest.raises(ProtocolError, match=r"safety\.nothing_to_ask: an arm has a mineral"):
        protocol("elemental_mg = 200", rest=reason)
    with pytest.raises(ProtocolError, match=r"safety\.nothing_to_ask: safety\.ask_before has questions"):
        protocol(rest=f'{reason}\nask_before = ["epilepsy"]')


def test_every_medicine_answers_the_general_question_of_medicines() -> None:
    """Who names a medicine, now or in the baseline, cannot have answered that none is taken regularly."""
    with pytest.raises(UsageError, match="warfarin is among the medicines"):
        SafetyAnswers(medicines=("warfarin",)).by_question(GENERAL)
    (said,) = denied_by_baseline(dict.fromkeys(GENERAL, "no"), Baseline(medicines=("warfarin",)))
    assert "the baseline says 'warfarin'" in said
    assert denied_by_baseline(dict.fromkeys(GENERAL, "no"), Baseline()) == []


def test_every_question_has_its_answer() -> None:
    """What is not named was answered with no."""
    answers = SafetyAnswers(yes=("pregnancy",), unsure=("lithium",)).by_question(("pregnancy", "lithium", "digoxin"))
    assert answers == {"pregnancy": "yes", "lithium": "don't know", "digoxin": "no"}


def test_an_answer_to_no_question_is_refused() -> None:
    """A misspelt question must not pass for an answer."""
    with pytest.raises(UsageError, match=r"did you mean pregnancy\?"):
        SafetyAnswers(yes=("pregnant",)).by_question(("pregnancy",))


def test_an_answer_cannot_be_two() -> None:
    """Yes and don't know to one question is a slip."""
    with pytest.raises(UsageError, match="not both"):
        SafetyAnswers(yes=("pregnancy",), unsure=("pregnancy",)).by_question(("pregnancy",))


@pytest.mark.parametrize("medicine", ["lithium", "Lithium carbonate", "lithium,"])
def test_a_medicine_that_is_a_risk_cannot_be_denied(medicine: str) -> None:
    """Whoever takes lithium and says no to lithium is asked which holds."""
    with pytest.raises(UsageError, match="Which is true"):
        SafetyAnswers(medicines=(medicine,)).by_question(Safety().ask_before)
    assert SafetyAnswers(medicines=(medicine,), yes=("lithium",)).by_question(Safety().ask_before)["lithium"] == "yes"


def test_a_medicine_that_a_question_merely_mentions_is_no_contradiction() -> None:
    """A diuretic alone is no potassium-sparing one, and says nothing of the kidneys."""
    assert set(SafetyAnswers(medicines=("diuretic",)).by_question(Safety().ask_before).values()) == {"no"}


@pytest.mark.parametrize("medicine", ["iron", "Iron tablets", "Irons"])
def test_a_medicine_finds_its_separation(medicine: str) -> None:
    """By its own words, however they are spelled."""
    assert [one.drug for one in separations_for(medicine, SEPARATE)] == ["iron"]


@pytest.mark.parametrize("medicine", ["environment", "ibuprofen", "", "  "])
def test_an_unknown_medicine_finds_nothing(medicine: str) -> None:
    """A part of a word is not the word."""
    assert separations_for(medicine, SEPARATE) == []


@pytest.mark.parametrize(("salt", "grams"), [("bisglycinate", 1.42), ("citrate", 1.24), ("oxide", 0.33)])
def test_salt_and_element_are_apart(salt: str, grams: float) -> None:
    """200 mg of magnesium are in the grams of salt that the literature gives."""
    (dose,) = doses(protocol(f'elemental_mg = 200\nsalt = "{salt}"'))
    assert dose.elemental_mg == 200
    assert dose.salt_mg is not None
    assert round(dose.salt_mg / 1000, 2) == grams


def test_an_unknown_salt_is_not_guessed() -> None:
    """Where the share of magnesium is not known, no amount of salt is said."""
    (dose,) = doses(protocol('elemental_mg = 200\nsalt = "threonate"'))
    assert dose.salt_mg is None


@pytest.mark.parametrize(("elemental", "above"), [(250, 0), (251, 1), (350, 1), (351, 2)])
def test_a_dose_is_held_against_both_limits(elemental: int, above: int) -> None:
    """At a limit is within it; above both is told of both."""
    arm = protocol(f"elemental_mg = {elemental}\nacknowledged_above_limit = true").arms[0]
    assert len(Dose.of(arm).above) == above


ASK = Safety().ask_before


@pytest.mark.parametrize(
    ("medicine", "question"),
    [
        ("magnesium laxative", "magnesium antacid or laxative"),
        ("Rennie magnesium antacid", "magnesium antacid or laxative"),
        ("magnesium hydroxide", "magnesium antacid or laxative"),
        ("spironolactone", "potassium-sparing diuretic"),
        ("Amiloride/HCT", "potassium-sparing diuretic"),
        ("potassium sparing diuretics", "potassium-sparing diuretic"),
    ],
)
def test_a_medicine_is_known_for_what_it_is(medicine: str, question: str) -> None:
    """Either half of a question is enough, and a member of a class need not bear its name."""
    with pytest.raises(UsageError, match="Which is true"):
        SafetyAnswers(medicines=(medicine,)).by_question(ASK)
    assert SafetyAnswers(medicines=(medicine,), yes=(question,)).by_question(ASK)[question] == "yes"


def test_another_laxative_is_no_magnesium() -> None:
    """The first word of a question holds for both its halves."""
    assert set(SafetyAnswers(medicines=("senna laxative",)).by_question(ASK).values()) == {"no"}


@pytest.mark.parametrize(
    ("medicine", "drug"),
    [
        ("ciprofloxacin", "quinolone"),
        ("Doxycycline 100 mg", "tetracycline"),
        ("alendronic acid", "bisphosphonate"),
        ("levothyroxine-natrium", "levothyroxine"),
        ("L-Thyroxin", "levothyroxine"),
        ("ferrous sulfate", "iron"),
    ],
)
def test_a_member_of_a_class_finds_the_hours_of_its_class(medicine: str, drug: str) -> None:
    """Who takes a quinolone knows it by its own name."""
    assert [one.drug for one in separations_for(medicine, SEPARATE)] == [drug]


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        (Baseline(age_band="under 18"), "'under 18', and the baseline says under 18"),
        (Baseline(egfr=29), "eGFR 29"),
        (Baseline(medicines=("lithium carbonate",)), "'lithium', and the baseline says 'lithium carbonate'"),
        (Baseline(medicines=("triamterene",), egfr=90), "'potassium-sparing diuretic', and"),
        (Baseline(age_band="75 and over"), "75 and over years, and no eGFR"),
        (Baseline(medicines=("ramipril",)), "'ramipril', and no eGFR"),
    ],
)
def test_a_baseline_contradicts_a_no(baseline: Baseline, said: str) -> None:
    """Age, kidney function and medicines that were told before the trial are held against its questions."""
    (denied,) = denied_by_baseline(dict.fromkeys(ASK, "no"), baseline)
    assert said in denied
    assert denied_by_baseline(dict.fromkeys(ASK, "yes"), baseline) == []


@pytest.mark.parametrize("question", ["eGFR below 45", "eGFR less than 45 in the last year", "an eGFR ≤ 45"])
def test_a_limit_of_the_kidneys_is_read_in_words(question: str) -> None:
    """A protocol's own question about the kidneys is held against the figure, too."""
    assert denied_by_baseline({question: "no"}, Baseline(egfr=44))
    assert not denied_by_baseline({question: "no"}, Baseline(egfr=46))


def test_a_baseline_without_a_risk_contradicts_nothing() -> None:
    """An adult at the limit of the kidney question whose medicines are no risk may answer no."""
    fit = Baseline(age_band="65-74", egfr=30, medicines=("ramipril", "ibuprofen"))
    assert denied_by_baseline(dict.fromkeys(ASK, "no"), fit) == []
    assert denied_by_baseline(dict.fromkeys(ASK, "no"), Baseline()) == []


@pytest.mark.parametrize("salt", ["glycinate", "Bisglycinate", "magnesium bisglycinate"])
def test_a_salt_is_known_however_it_is_written(salt: str) -> None:
    """Case, the short form and the word magnesium make no other salt."""
    (dose,) = doses(protocol(f'elemental_mg = 200\nsalt = "{salt}"'))
    assert round(dose.salt_mg or 0) == 1418


def test_text_of_the_gate_is_one_plain_line() -> None:
    """A control character in a name or a reason could forge a line of a report."""
    for made in (
        lambda: SafetyAnswers(medicines=("a\nb",)),
        lambda: Clinician(name="\x1b[2J", reason="x"),
        lambda: Clinician(name="x", reason="a\u2028b"),
    ):
        with pytest.raises(UsageError, match="one plain line"):
            made()
