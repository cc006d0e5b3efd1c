"""A protocol is read whole or refused with every mistake."""

import hashlib
import re
from importlib import resources

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nof1.errors import DataError, ProtocolError
from nof1.sleep.measures import MEASURES
from nof1.trial.keys import keys_of
from nof1.trial.protocol import Arm, Contrast, Design, Outcome, Protocol, parse_protocol
from nof1.trial.safety_rules import Safety

TEMPLATE = resources.files("nof1_protocols").joinpath("magnesium-glycinate.toml").read_text("utf-8")

SHORTEST = """
[[arm]]
code = "a"
label = "One"
[[arm]]
code = "b"
label = "Other"
[design]
scheme = "randomised-pairs"
[[outcome]]
measure = "deep_min"
"""


def mistakes_in(text: str) -> list[str]:
    """Return the lines of the refusal, none where the protocol is accepted."""
    try:
        parse_protocol(text)
    except ProtocolError as error:
        return list(error.mistakes)
    return []


def changed(old: str, new: str, text: str = TEMPLATE) -> str:
    """Return the text with one passage replaced, which must be there."""
    assert old in text
    return text.replace(old, new, 1)


def test_only_arms_scheme_and_outcome_are_required() -> None:
    """A protocol of two arms, a scheme and one outcome is complete, and each of the three is needed."""
    assert mistakes_in(SHORTEST) == []
    assert any(line.startswith("arm: missing") for line in mistakes_in(SHORTEST[SHORTEST.index("[design]") :]))
    assert mistakes_in(changed('scheme = "randomised-pairs"\n', "", SHORTEST)) == ["design.scheme: missing"]
    assert any(line.startswith("outcome: missing") for line in mistakes_in(SHORTEST[: SHORTEST.index("[[outcome]]")]))


def test_an_absent_key_means_what_the_template_shows() -> None:
    """What the shortest protocol leaves out has the values that the template writes out, but for the blinding."""
    short, full = parse_protocol(SHORTEST), parse_protocol(TEMPLATE)
    assert short.design == full.design
    assert short.sleep == full.sleep
    assert short.safety == full.safety == Safety()
    assert short.outcomes[0] == full.outcomes[0]
    assert not short.conceals
    assert full.conceals


def test_a_blinding_table_alone_conceals_from_both() -> None:
    """An empty [blinding] table conceals the allocation from participant and clinician."""
    assert parse_protocol(SHORTEST + "[blinding]\n").blinding == parse_protocol(TEMPLATE).blinding
    assert not parse_protocol(SHORTEST + "[blinding]\nconcealed_from = []\n").conceals


def test_latency_brings_its_own_scale() -> None:
    """Latency without a worthwhile change of its own has 10 minutes and a ratio of 0.80, other measures have none."""
    before = '[[outcome]]\nmeasure = "sol_min"\n[[outcome]]\nmeasure = "tst_min"\n'
    text = changed("[[outcome]]", before + "[[outcome]]", SHORTEST)
    latency, total, deep = parse_protocol(text).outcomes
    assert (latency.worthwhile, latency.worthwhile_ratio, latency.better, latency.role) == (10, 0.8, "lower", "primary")
    assert (total.worthwhile, total.worthwhile_ratio, total.role) == (None, None, "secondary")
    assert deep.worthwhile_ratio is None


def test_covariates_default_to_the_marked_diary_items() -> None:
    """Where the analysis names no covariates, it takes the diary items that are marked, and no others."""
    diary = '[[diary]]\nkey = "alcohol_units"\ncovariate = true\n[[diary]]\nkey = "mood"\nwhen = "morning"\n'
    assert parse_protocol(SHORTEST + diary).analysis.covariates == ("alcohol_units",)


def test_arms_are_found_by_code() -> None:
    """The reference is the arm marked so wherever it stands, and an unknown code is refused by name."""
    protocol = parse_protocol(changed('code = "a"', 'code = "a"\nreference = true', SHORTEST))
    assert protocol.contrasts == (Contrast(arm="b", reference="a"),)
    assert protocol.arm("b").label == "Other"
    with pytest.raises(DataError, match=r"No arm has the code 'c'.*a, b"):
        protocol.arm("c")


def test_two_actives_are_counted_from_the_second() -> None:
    """Without a marked reference the effect is first minus second."""
    protocol = parse_protocol(SHORTEST)
    assert not protocol.has_reference
    assert protocol.contrasts == (Contrast(arm="a", reference="b"),)


@given(st.text("# abc\n\t", max_size=40).map(lambda comment: f"# {comment}".replace("\n", "\n# ") + "\n"))
def test_the_hash_is_of_the_exact_text(comment: str) -> None:
    """Another comment is another hash of the same protocol."""
    with_comment = parse_protocol(comment + SHORTEST)
    assert with_comment.sha256 == hashlib.sha256((comment + SHORTEST).encode()).hexdigest()
    assert with_comment.sha256 != parse_protocol(SHORTEST).sha256


def test_five_mistakes_are_told_at_once() -> None:
    """A protocol with five mistakes of five kinds lists these five, each with its key path."""
    text = changed("blocks = 6", 'blocks = "six"')
    text = changed("worthwhile_ratio", "worthwile_ratio", text)
    text = changed("worthwhile = 10               # Edinger", "worthwhile = -10 # Edinger", text)
    text = changed("units_per_dose = 3\n", "units_per_dose = 2\n", text)
    text = changed("transition_nights = 3", "transition_nights = 10", text)
    assert [line.split(":")[0] for line in sorted(mistakes_in(text))] == [
        "arm[2].units_per_dose",
        "design.blocks",
        "design.transition_nights",
        "outcome[2].worthwhile",
        "outcome[2].worthwile_ratio",
    ]
    assert "outcome[2].worthwhile: must be positive, it is -10" in mistakes_in(text)
    assert "outcome[2].worthwile_ratio: unknown key; did you mean worthwhile_ratio?" in mistakes_in(text)


SINGLE_MISTAKES = [
    ('salt = "bisglycinate"', "salt = 5", "arm[1].salt: must be a text"),
    ('code = "placebo"', 'code = "Magnesium"', "arm[2].code: 'Magnesium' is arm[1] already"),
    ('code = "placebo"', 'code = "pla cebo"', "arm[2].code: must be 1 to 32 letters"),
    ('label = "Matching capsules without magnesium"', 'label = " "', "arm[2].label: must be a text"),
    ('label = "Matching capsules without magnesium"', r'label = "\u001b[2J"', "arm[2].label: must be a text"),
    ("elemental_mg = 200", "elemental_mg = 251", "arm[1].elemental_mg: 251 mg is above"),
    ("elemental_mg = 200", "elemental_mg = nan", "arm[1].elemental_mg: must be a number"),
    ("elemental_mg = 200", "elemental_mg = true", "arm[1].elemental_mg: must be a number"),
    ("units_per_dose = 3 ", "units_per_dose = 2 ", "arm[2].units_per_dose: 3 where another arm has 2"),
    ("units_per_dose = 3 ", "#", "arm[2].units_per_dose: 3 where another arm has none given"),
    ('take = "one hour', 'take = "an hour', "arm[2].take: not the words of arm[1]"),
    ('take = "one', 'reference = true\ntake = "one', "arm[2].reference: arm[1] is the reference already"),
    ("period_nights = 10", "period_nights = 3", "design.transition_nights: 3 transition nights leave nothing"),
    ("period_nights = 10", "period_nights = 10.0", "design.period_nights: must be a whole number"),
    ("blocks = 6", "blocks = 6\nblocks_ = 1", "design.blocks_: unknown key; did you mean blocks?"),
    ("blocks = 6", "blocks = 200", "design.blocks: 200 blocks make a trial of 4000 nights"),
    ("blocks = 6", "blocks = 0", "design.blocks: must be at least 2, it is 0"),
    ("blocks = 6", "blocks = 6\nlongest_run = 0", "design.longest_run:"),
    (
        'scheme = "randomised-pairs"',
        'scheme = "random-pairs"',
        "design.scheme: nothing is called 'random-pairs'; did you",
    ),
    ("custodian = true", "custodian = false", "blinding.custodian: nothing can be concealed without one"),
    ('["participant", "clinician"]', '["participant", "partner"]', "blinding.concealed_from[2]: must be one of"),
    (
        'measure = "deep_min"\nrole = "primary"\nbetter = "higher"',
        'measure = "sol_min"\nrole = "primary"\nbetter = "lower"',
        "outcome[2].measure: 'sol_min' is outcome[1] already",
    ),
    (
        'measure = "deep_min"',
        'measure = "deep"',
        "outcome[1].measure: nothing is called 'deep'; did you mean deep_min?",
    ),
    ('role = "secondary"', 'role = "primary"', "outcome[2].role: outcome[1] is primary already"),
    ('role = "primary"', 'role = "secondary"', "outcome: none is primary"),
    ('better = "lower"', 'better = "higher"', "outcome[2].better: lower is better for sol_min, not higher"),
    ("worthwhile_ratio = 0.80", "worthwhile_ratio = 1.25", "outcome[2].worthwhile_ratio: must be below 1"),
    (
        'role = "primary"',
        'role = "primary"\nworthwhile_ratio = 1.2',
        "outcome[1].worthwhile_ratio: deep_min is compared",
    ),
    ("worthwhile = 10 ", "worthwhile = 0 ", "outcome[1].worthwhile: must be positive, it is 0"),
    ('key = "ill"', 'key = "night"', "diary[3].key: night is a column of every diary"),
    ('key = "ill"', 'key = "alcohol_units"', "diary[3].key: 'alcohol_units' is diary[1] already"),
    ('when = "before dose"', 'when = "morning"', "diary[1].covariate: what is asked in the morning"),
    ('type = "number"', 'type = "text"', "diary[1].covariate: a text cannot be adjusted for"),
    (
        'covariates = ["alcohol_units"]',
        'covariates = ["stress"]',
        "analysis.covariates[1]: the diary does not ask for stress",
    ),
    (
        'covariates = ["alcohol_units"]',
        'covariates = ["ill"]',
        "analysis.covariates[1]: the diary item ill is not marked",
    ),
    ("night_boundary_h = 12", "night_boundary_h = 24", "sleep.night_boundary_h: must be below 24, it is 24"),
    ('latency_source = "best"', 'latency_source = "app"', "sleep.latency_source: must be one of"),
    ("meaningful = 0.8 ", "meaningful = 0.4 ", "analysis.meaningful: must be at least analysis.worthwhile"),
    ("benefit = 0.95 ", "benefit = 95 ", "analysis.benefit: must be below 1, it is 95"),
    ('prior_effect_sd = "default"', "prior_effect_sd = 5", "analysis.prior_effect_sd: say why in"),
    (
        'prior_effect_sd = "default"',
        'prior_effect_sd = "wide"',
        "analysis.prior_effect_sd: must be a number or 'default'",
    ),
    (
        '{drug = "iron", before_h = 4',
        '{drug = "iron", before_h = 4, within_h = 1',
        "safety.separate[4].within_h: unknown",
    ),
    ('{drug = "iron", before_h = 4,', '{drug = "iron",', "safety.separate[4].before_h: missing"),
    ("schema = 1", "schema = 2", "schema: must be one of 1; it is 2"),
    ("schema = 1", "schema = true", "schema: must be one of 1; it is True"),
    ("[safety]", "[[safety]]", "safety: must be a table"),
]


@pytest.mark.parametrize(("old", "new", "line"), SINGLE_MISTAKES)
def test_one_mistake_is_told_once(old: str, new: str, line: str) -> None:
    """One slip in the template gives one line, with the key path and the reason."""
    found = mistakes_in(changed(old, new))
    assert len(found) == 1, found
    assert found[0].startswith(line), found


def test_a_syntax_error_names_its_line() -> None:
    """Text that is not TOML is one mistake, with line and column."""
    assert mistakes_in("schema = 1\nid = \n") == ["line 2, column 6: Invalid value"]


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 5_000, f"schema = {'9' * 5_000}", f"schema = 0x{'f' * 9_000}", "a" * 1_000_001, "id = '\ud800'"],
    ids=["nested", "digits", "hexadecimal", "long", "surrogate"],
)
def test_hostile_text_is_refused(text: str) -> None:
    """Deep nesting, endless numbers, endless text and broken Unicode are mistakes, not crashes."""
    assert mistakes_in(text)


def test_a_byte_order_mark_is_ignored() -> None:
    """A file that an editor began with a byte order mark is read."""
    assert mistakes_in("\ufeff" + SHORTEST) == []


def test_a_dose_above_the_limit_needs_an_acknowledgement() -> None:
    """Above the supplement limit an arm is accepted only where it says that this was acknowledged."""
    high = changed("elemental_mg = 200", "elemental_mg = 300")
    assert len(mistakes_in(high)) == 1
    assert mistakes_in(changed("elemental_mg = 300", "acknowledged_above_limit = true\nelemental_mg = 300", high)) == []
    assert mistakes_in(changed("limit_mg = 250", "limit_mg = 5000", high)) == [
        "arm[1].elemental_mg: 300 mg is above the upper limit of the EU (EFSA 2006) (250 mg); lower it, or, once a "
        "clinician has agreed, set acknowledged_above_limit = true in this arm"
    ]
    assert len(mistakes_in(changed("limit_mg = 250", "limit_mg = 100"))) == 1


def test_a_supplement_cannot_go_without_its_gate() -> None:
    """A salt without its amount, or a list of no questions, would begin with nothing asked."""
    (amount,) = mistakes_in(changed("elemental_mg = 200", "#"))
    assert amount.startswith("arm[1].elemental_mg: arm[1].salt names a mineral")
    (asked,) = mistakes_in(
        SHORTEST.replace("[design]", "[safety]\nask_before = []\n[design]").replace(
            'label = "Other"', 'label = "Other"\nelemental_mg = 200'
        )
    )
    assert asked.startswith("safety.ask_before: an arm holds a supplement")
    assert mistakes_in(SHORTEST.replace("[design]", "[safety]\nask_before = []\n[design]")) == []


def test_capsule_counts_may_differ_in_the_open() -> None:
    """An open-label trial may give one arm three capsules and the other none."""
    assert mistakes_in(changed('label = "Other"', 'label = "Other"\nunits_per_dose = 3', SHORTEST)) == []


THREE = changed("[design]", '[[arm]]\ncode = "c"\nlabel = "Third"\n[design]', SHORTEST).replace(
    "randomised-pairs", "permuted-blocks"
)


def contrasted(*pairs: tuple[str, str], text: str = THREE) -> str:
    """The protocol with these contrasts declared."""
    return text + "".join(f'[[contrast]]\narm = "{arm}"\nreference = "{other}"\n' for arm, other in pairs)


def test_every_pair_of_three_actives_is_compared() -> None:
    """Three arms without a reference have three contrasts; where one is the reference, the others are held to it."""
    assert [pair.name for pair in parse_protocol(THREE).contrasts] == ["a − b", "a − c", "b − c"]
    with_reference = parse_protocol(changed('code = "b"', 'code = "b"\nreference = true', THREE))
    assert [pair.name for pair in with_reference.contrasts] == ["a − b", "c − b"]


def test_declared_contrasts_are_taken_as_they_stand() -> None:
    """What the protocol declares is compared, in its order and its direction, and nothing else."""
    assert [pair.name for pair in parse_protocol(contrasted(("c", "a"), ("b", "a"))).contrasts] == ["c − a", "b − a"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (contrasted(("a", "d")), "contrast[1].reference: no arm is called 'd'"),
        (contrasted(("a", "a")), "contrast[1].reference: a cannot be compared with itself"),
        (contrasted(("a", "b"), ("b", "a")), "contrast[2]: the same arms as contrast[1]"),
        (contrasted(("a", "b")).replace('code = "a"', 'code = "a"\nreference = true'), "contrast[1].arm: a is the ref"),
        (THREE.replace("permuted-blocks", "alternating"), "design.scheme: alternating is for two arms; for 3 take"),
        (THREE.replace('"permuted-blocks"', '"unrestricted"\nblocks = 60'), "design.blocks: 60 are too many for"),
        (THREE.replace("[design]", '[[arm]]\ncode = "d"\nlabel = "4"\n[[arm]]\ncode = "e"\nlabel = "5"\n[design]'),
         "arm: 2 to 4 arms can be compared, this protocol has 5"),
    ],
)  # fmt: skip
def test_contrasts_that_cannot_be_are_refused(text: str, mistake: str) -> None:
    """An arm that is not there, one held to itself, the same two twice, a reference that is not one, too many."""
    assert [line[: len(mistake)] for line in mistakes_in(text)] == [mistake]


@pytest.mark.parametrize("name", sorted(name for name, measure in MEASURES.items() if measure.better is None))
def test_a_measure_without_a_better_direction_asks_for_one(name: str) -> None:
    """Where the catalogue says neither higher nor lower, the protocol has to."""
    text = changed('measure = "deep_min"', f'measure = "{name}"', SHORTEST)
    assert [line.split(":")[0] for line in mistakes_in(text)] == ["outcome[1].better"]
    assert mistakes_in(text + 'better = "higher"\n') == []


def test_the_description_of_the_keys_is_open() -> None:
    """Every key can be listed from the dataclasses with its name and default, which a schema for editors needs."""
    assert set(keys_of(Protocol)) >= {"arm", "outcome", "diary", "design", "sleep", "analysis", "safety", "blinding"}
    assert "sha256" not in keys_of(Protocol)
    assert keys_of(Design)["blocks"].default == Design(scheme="alternating").blocks
    assert keys_of(Outcome)["role"].derived
    assert keys_of(Arm)["reference"].default is False


LINES = TEMPLATE.splitlines()
KEY_LINES = [number for number, line in enumerate(LINES) if re.match(r"[a-z_0-9]+ = [^\[]", line)]
VALUES = st.sampled_from(
    ['""', "0", "-1", "1e400", "-0.0", "nan", "true", "[]", "{}", "[[]]", '["x"]', "1979-05-27", "07:32:00", "'\\x'",
     "99999999999999999999", '"deep_min"', '"fixed"', "{drug = 1}", "[{}]", "[1, {}]"]
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(KEY_LINES), VALUES), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_is_read_or_refused(changes: list[tuple[int, str]]) -> None:
    """Whatever stands behind a key, the result is a protocol or a list of mistakes that name their keys."""
    lines = list(LINES)
    for number, value in changes:
        lines[number] = f"{lines[number].split(' = ')[0]} = {value}"
    for line in mistakes_in("\n".join(lines)):
        assert re.match(r"[a-z_]+[\[\].a-z_0-9]*: |line \d+, column \d+: ", line), line


@given(st.lists(st.tuples(st.sampled_from(range(len(LINES))), st.sampled_from(["drop", "double", "swap"])), max_size=4))
@settings(max_examples=100, deadline=None)
def test_shuffled_lines_are_read_or_refused(changes: list[tuple[int, str]]) -> None:
    """Lines lost, doubled or moved give a protocol or a list of mistakes."""
    lines = list(LINES)
    for number, change in changes:
        place = number % len(lines)
        if change == "drop":
            del lines[place]
        elif change == "double":
            lines.insert(place, lines[place])
        else:
            lines[place], lines[0] = lines[0], lines[place]
    assert all(line.strip() for line in mistakes_in("\n".join(lines)))


@given(st.text())
@example("\x00")
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader fail in another way."""
    assert mistakes_in(text)


def test_a_design_that_no_sequence_can_keep_is_refused() -> None:
    """ABBA and BAAB need blocks in pairs, and always hold the same arm twice running."""
    odd = changed('scheme = "randomised-pairs"', 'scheme = "counterbalanced"').replace("blocks = 6", "blocks = 5")
    assert mistakes_in(odd) == [
        "design.blocks: this scheme takes blocks in pairs (ABBA or BAAB); 5 is odd",
    ]
    strict = changed('scheme = "randomised-pairs"', 'scheme = "counterbalanced"\nlongest_run = 1')
    assert mistakes_in(strict) == [
        "design.longest_run: no sequence keeps to 1 running; take a longer one, or another scheme"
    ]
