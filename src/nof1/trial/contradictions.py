"""What the keys of a protocol may not say together: one function a rule, each line beginning with a key path.

The rules read the fields of `nof1.trial.keys.read_table`, from which mistaken values are missing: a rule that needs one
of them stays silent, so that one slip is told once.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from nof1.sleep.measures import MEASURES
from nof1.sleep.nights import NIGHT_FLAGS
from nof1.sleep.session import SESSION_FLAGS
from nof1.trial.keys import nearest
from nof1.trial.safety_rules import USUAL
from nof1.trial.scheme import FIXED, SCHEMES, Sequences

Fields = Mapping[str, Any]

LONGEST_NIGHTS: Final = 3_660
"""A trial of more than ten years is a slip of the hand."""

REPORTED_INTERVAL: Final = 0.95

KNOWN_FLAGS: Final = tuple({**SESSION_FLAGS, **NIGHT_FLAGS})
"""What a device may say of a recording, and what the assembly of nights may say of a night."""

UPPER_LIMITS_MG: Final = {"EU (EFSA 2006)": 250, "US (IOM 1997)": 350}
"""Milligrams of magnesium a day from supplements, for adults, without what food holds: EU Scientific Committee on Food
2001, taken over by EFSA 2006; Institute of Medicine, Dietary Reference Intakes 1997 (doi:10.17226/5776)."""

FEWEST_ORDERS: Final = 2

FEWEST_ARMS: Final = 2
MOST_ARMS: Final = 4
"""More would take years to compare, and no figure tells them apart."""

MOST_STATES: Final = 20_000
"""Of an order without blocks: (blocks + 1) ^ arms. Beyond, its sequences are not counted in a moment."""

TAKEN_NAMES: Final = (
    *("night", "dose_taken", "dose_at", "lights_out", "awakenings", "sleep_quality", "note", "side_effects"),
    *("covariates", "participant"),
)
"""Columns that the diary has of its own."""


def contradictions(fields: Fields) -> list[str]:
    """List what is wrong between the keys of a protocol."""
    return [line for rule in RULES for line in rule(fields)]


def _sequences_exist(fields: Fields) -> Iterator[str]:
    scheme = SCHEMES.get(_of(fields, "design", "scheme") or FIXED)
    blocks, longest = _of(fields, "design", "blocks"), _of(fields, "design", "longest_run")
    arms = len(fields.get("arms", ()))
    if scheme is None or blocks is None or not FEWEST_ARMS <= arms <= MOST_ARMS:
        return
    if arms > FEWEST_ARMS and scheme.two_arms:
        yield f"design.scheme: {_of(fields, 'design', 'scheme')} is for two arms; for {arms} take permuted-blocks"
    elif arms > FEWEST_ARMS and not scheme.in_blocks and (blocks + 1) ** arms > MOST_STATES:
        yield f"design.blocks: {blocks} are too many for an order of {arms} arms without blocks; take permuted-blocks"
    elif scheme.even_blocks and blocks % 2:
        yield f"design.blocks: this scheme takes blocks in pairs (ABBA or BAAB); {blocks} is odd"
    elif longest is not None and not Sequences(scheme, "ABCD"[:arms], blocks, longest).count():
        yield f"design.longest_run: no sequence keeps to {longest} running; take a longer one, or another scheme"


def told_by_a_schedule(raw: Mapping[str, Any]) -> Iterator[str]:
    """Name the keys that mean nothing where the schedule is brought, in parsed TOML.

    Only of a protocol that is new: a registered one may hold them, and what it did stays as it was.
    """
    design = raw.get("design")
    if not isinstance(design, Mapping) or design.get("scheme") != FIXED:
        return
    told = {
        "run_in_nights": "its dates without an arm before the first period are the run-in",
        "washout_nights": "its dates without an arm after a period are the washout",
        **dict.fromkeys(("blocks", "period_nights", "longest_run"), "it has the periods, in their order"),
    }
    for key, where in told.items():
        if key in design:
            yield f'design.{key}: with scheme = "fixed" the schedule says this: {where}; leave the key out'


def _reference_set_holds_orders(fields: Fields) -> Iterator[str]:
    declared = _of(fields, "design", "reference_set")
    if not declared:
        return
    if _of(fields, "design", "scheme") not in {None, FIXED}:
        yield 'design.reference_set: nof1 knows what it could have drawn; declare a set with scheme = "fixed" only'
    if len(declared) < FEWEST_ORDERS:
        yield "design.reference_set: one order is no set; declare every order that could have been, or leave it out"
    arms = [arm["code"] for arm in fields.get("arms", ()) if "code" in arm]
    known = len(arms) == len(fields.get("arms", ()))
    seen: dict[tuple[str, ...], int] = {}
    for number, order in enumerate(declared, start=1):
        here = f"design.reference_set[{number}]"
        if len(order) != len(declared[0]) or not order:
            yield f"{here}: {len(order)} periods, and {len(declared[0])} in the first; all are of one trial"
        if (first := seen.setdefault(order, number)) != number:
            yield f"{here}: the same order as design.reference_set[{first}]"
        for code in dict.fromkeys(order if known else ()):
            if code not in arms:
                yield f"{here}: no arm is called {code!r}; {nearest(code, arms)}"


def _arms_can_be_compared(fields: Fields) -> Iterator[str]:
    count = len(fields.get("arms", ()))
    if "arms" in fields and not FEWEST_ARMS <= count <= MOST_ARMS:
        yield f"arm: {FEWEST_ARMS} to {MOST_ARMS} arms can be compared, this protocol has {count}"


def _contrasts_are_of_two_arms(fields: Fields) -> Iterator[str]:
    arms = {arm["code"]: arm for arm in fields.get("arms", ()) if "code" in arm}
    if len(arms) < len(fields.get("arms", ())):
        return
    references = [code for code, arm in arms.items() if arm.get("reference")]
    seen: dict[frozenset[str], int] = {}
    for number, pair in _numbered(fields, "contrasts"):
        codes = {key: pair[key] for key in ("arm", "reference") if key in pair}
        for key, code in codes.items():
            if code not in arms:
                yield f"contrast[{number}].{key}: no arm is called {code!r}; {nearest(code, arms)}"
        first = seen.setdefault(frozenset(codes.values()), number)
        if len(codes) == FEWEST_ARMS and first != number:
            yield f"contrast[{number}]: the same arms as contrast[{first}]"
        if len(codes) > len(set(codes.values())):
            yield f"contrast[{number}].reference: {pair['arm']} cannot be compared with itself"
        elif references == [codes.get("arm")]:
            yield f"contrast[{number}].arm: {pair['arm']} is the reference, and effects are counted from it"


def _names_are_used_once(fields: Fields) -> Iterator[str]:
    for table, path, name in (("arms", "arm", "code"), ("outcomes", "outcome", "measure"), ("diary", "diary", "key")):
        seen: dict[str, int] = {}
        for number, row in _numbered(fields, table):
            if (value := row.get(name)) is None:
                continue
            first = seen.setdefault(value.casefold(), number)
            if first != number:
                yield f"{path}[{number}].{name}: {value!r} is {path}[{first}] already; each needs its own"


def _flags_exist(fields: Fields) -> Iterator[str]:
    for flag in _of(fields, "sleep", "exclude_flags") or ():
        if flag not in KNOWN_FLAGS:
            yield f"sleep.exclude_flags: no night is ever flagged {flag!r}; the flags are {', '.join(KNOWN_FLAGS)}"


def _intervals_are_those_of_the_report(fields: Fields) -> Iterator[str]:
    probability = _of(fields, "analysis", "ci_prob")
    if probability is not None and probability != REPORTED_INTERVAL:
        yield f"analysis.ci_prob: not available yet: {probability:g}; reports give {REPORTED_INTERVAL:g}"


def _one_reference(fields: Fields) -> Iterator[str]:
    marked = [number for number, arm in _numbered(fields, "arms") if arm.get("reference")]
    for number in marked[1:]:
        yield f"arm[{number}].reference: arm[{marked[0]}] is the reference already; only one arm can be"


def _periods_outlast_their_transition(fields: Fields) -> Iterator[str]:
    nights, transition = _of(fields, "design", "period_nights"), _of(fields, "design", "transition_nights")
    if _of(fields, "design", "scheme") != FIXED and None not in (nights, transition) and transition >= nights:
        yield (
            f"design.transition_nights: {transition} transition nights leave nothing of a period of {nights} nights; "
            "make it smaller than design.period_nights"
        )


def _trial_ends(fields: Fields) -> Iterator[str]:
    blocks, nights = _of(fields, "design", "blocks"), _of(fields, "design", "period_nights")
    if None in (blocks, nights):
        return
    total = (
        blocks
        * max(len(fields.get("arms", ())), FEWEST_ARMS)
        * (nights + (_of(fields, "design", "washout_nights") or 0))
    )
    if total > LONGEST_NIGHTS:
        yield f"design.blocks: {blocks} blocks make a trial of {total} nights; at most {LONGEST_NIGHTS}"


def _capsules_do_not_unblind(fields: Fields) -> Iterator[str]:
    arms = [arm for arm in fields.get("arms", ()) if "units_per_dose" in arm]
    if not _of(fields, "blinding", "concealed_from") or not arms:
        return
    for number, arm in _numbered(fields, "arms"):
        units, first = arm.get("units_per_dose", arms[0]["units_per_dose"]), arms[0]["units_per_dose"]
        if units != first:
            yield (
                f"arm[{number}].units_per_dose: {_count(units)} where another arm has {_count(first)}: counting would "
                "tell the arms apart; give every arm the same number, or leave [blinding] out"
            )


def _words_do_not_unblind(fields: Fields) -> Iterator[str]:
    if not _of(fields, "blinding", "concealed_from"):
        return
    said = [(number, arm["take"]) for number, arm in _numbered(fields, "arms") if "take" in arm]
    for number, words in said[1:]:
        if words != said[0][1]:
            yield (
                f"arm[{number}].take: not the words of arm[{said[0][0]}], and those of the evening would tell the arms "
                "apart; give every arm the same, or leave [blinding] out"
            )


def _concealment_has_a_custodian(fields: Fields) -> Iterator[str]:
    if _of(fields, "blinding", "concealed_from") and _of(fields, "blinding", "custodian") is False:
        yield (
            "blinding.custodian: nothing can be concealed without one; set it to true, or leave [blinding] out for an "
            "open-label trial"
        )


def _dose_stays_under_the_limit(fields: Fields) -> Iterator[str]:
    own = _of(fields, "safety", "supplement_upper_limit_mg")
    limits = {f"the upper limit of the {name}": limit for name, limit in UPPER_LIMITS_MG.items()}
    if own is not None:
        limits = {"safety.supplement_upper_limit_mg": own, **limits}
    for number, arm in _numbered(fields, "arms"):
        dose = arm.get("elemental_mg")
        above = [f"{name} ({limit:g} mg)" for name, limit in limits.items() if dose is not None and dose > limit]
        if above and not arm.get("acknowledged_above_limit"):
            yield (
                f"arm[{number}].elemental_mg: {dose:g} mg is above {above[0]}; "
                "lower it, or, once a clinician has agreed, set acknowledged_above_limit = true in this arm"
            )


def _a_salt_has_its_amount(fields: Fields) -> Iterator[str]:
    for number, arm in _numbered(fields, "arms"):
        if arm.get("salt") and "elemental_mg" in arm and not arm["elemental_mg"]:
            yield (
                f"arm[{number}].elemental_mg: arm[{number}].salt names a mineral: say how many milligrams of the "
                "element an evening's dose holds, all units together"
            )


def _a_supplement_has_its_questions(fields: Fields) -> Iterator[str]:
    if _of(fields, "safety", "ask_before") == () and any(arm.get("elemental_mg") for arm in fields.get("arms", ())):
        yield (
            "safety.ask_before: an arm holds a supplement, and nothing would be asked before the first night; leave "
            "this key out for the questions about magnesium, or ask your own"
        )


def _nothing_to_ask_where_nothing_is(fields: Fields) -> Iterator[str]:
    if not _of(fields, "safety", "nothing_to_ask"):
        return
    if any(arm.get("elemental_mg") for arm in fields.get("arms", ())):
        yield "safety.nothing_to_ask: an arm has a mineral, and the questions about it are asked; leave this out"
    elif isinstance(fields["safety"], Mapping) and fields["safety"].get("ask_before") not in (
        None,
        (),
        USUAL.ask_before,
    ):
        yield "safety.nothing_to_ask: safety.ask_before has questions; leave one of the two out"


def _one_primary_outcome(fields: Fields) -> Iterator[str]:
    outcomes = fields.get("outcomes")
    if outcomes is None:
        return
    primary = [number for number, outcome in _numbered(fields, "outcomes") if outcome.get("role") == "primary"]
    if not outcomes:
        yield "outcome: missing; at least one [[outcome]] table is needed"
    elif not primary and all("role" in outcome for outcome in outcomes):
        yield 'outcome: none is primary; give one of them role = "primary"'
    for number in primary[1:]:
        yield f"outcome[{number}].role: outcome[{primary[0]}] is primary already; only one can be"


def _better_agrees_with_the_catalogue(fields: Fields) -> Iterator[str]:
    for number, outcome in _numbered(fields, "outcomes"):
        measure, better = MEASURES.get(outcome.get("measure", "")), outcome.get("better")
        if measure is None:
            continue
        if measure.better and better and better != measure.better:
            yield f"outcome[{number}].better: {measure.better} is better for {measure.name}, not {better}"


def _better_is_known(fields: Fields) -> Iterator[str]:
    for number, outcome in _numbered(fields, "outcomes"):
        measure = MEASURES.get(outcome.get("measure", ""))
        if measure and measure.better is None and "better" not in outcome:
            yield f'outcome[{number}].better: say "higher" or "lower": for {measure.name} neither is better in itself'


def _ratios_point_the_better_way(fields: Fields) -> Iterator[str]:
    for number, outcome in _numbered(fields, "outcomes"):
        measure, ratio = MEASURES.get(outcome.get("measure", "")), outcome.get("worthwhile_ratio")
        here = f"outcome[{number}].worthwhile_ratio"
        if measure is None or ratio is None:
            continue
        better = measure.better or outcome.get("better")
        if measure.family != "lognormal":
            yield f"{here}: {measure.name} is compared by differences; only a latency takes a ratio"
        elif better == "lower" and ratio >= 1:
            yield f"{here}: must be below 1 where lower is better, it is {ratio:g}"
        elif better == "higher" and ratio <= 1:
            yield f"{here}: must be above 1 where higher is better, it is {ratio:g}"


def _diary_names_are_free(fields: Fields) -> Iterator[str]:
    for number, item in _numbered(fields, "diary"):
        if item.get("key") in TAKEN_NAMES:
            yield f"diary[{number}].key: {item['key']} is a column of every diary; choose another name"


def _covariates_come_before_the_dose(fields: Fields) -> Iterator[str]:
    for number, item in _numbered(fields, "diary"):
        if not item.get("covariate"):
            continue
        if item.get("when", "before dose") != "before dose":
            yield (
                f"diary[{number}].covariate: what is asked in the {item['when']} may be an effect of the treatment, "
                'and adjusting for it would hide that effect; ask it "before dose" or set covariate = false'
            )
        if item.get("type") == "text":
            yield f"diary[{number}].covariate: a text cannot be adjusted for; only a number or a boolean can"


def _covariates_are_in_the_diary(fields: Fields) -> Iterator[str]:
    if "diary" not in fields:
        return
    asked = {item.get("key") for item in fields["diary"]}
    marked = {item.get("key") for item in fields["diary"] if item.get("covariate")}
    for number, name in enumerate(_of(fields, "analysis", "covariates") or (), start=1):
        if name not in asked:
            yield f"analysis.covariates[{number}]: the diary does not ask for {name}; add a [[diary]] table for it"
        elif name not in marked:
            yield f"analysis.covariates[{number}]: the diary item {name} is not marked covariate = true"


def _thresholds_are_in_order(fields: Fields) -> Iterator[str]:
    worthwhile, meaningful = _of(fields, "analysis", "worthwhile"), _of(fields, "analysis", "meaningful")
    if None not in (worthwhile, meaningful) and meaningful < worthwhile:
        yield f"analysis.meaningful: must be at least analysis.worthwhile ({worthwhile:g}), it is {meaningful:g}"


def _a_prior_of_ones_own_has_a_reason(fields: Fields) -> Iterator[str]:
    prior = _of(fields, "analysis", "prior_effect_sd")
    if isinstance(prior, float) and not _of(fields, "analysis", "prior_effect_reason"):
        yield 'analysis.prior_effect_sd: say why in analysis.prior_effect_reason, or leave it "default"'


RULES: Final[tuple[Callable[[Fields], Iterator[str]], ...]] = (
    _arms_can_be_compared,
    _contrasts_are_of_two_arms,
    _names_are_used_once,
    _flags_exist,
    _intervals_are_those_of_the_report,
    _one_reference,
    _dose_stays_under_the_limit,
    _a_salt_has_its_amount,
    _a_supplement_has_its_questions,
    _nothing_to_ask_where_nothing_is,
    _sequences_exist,
    _reference_set_holds_orders,
    _periods_outlast_their_transition,
    _trial_ends,
    _capsules_do_not_unblind,
    _words_do_not_unblind,
    _concealment_has_a_custodian,
    _one_primary_outcome,
    _better_agrees_with_the_catalogue,
    _better_is_known,
    _ratios_point_the_better_way,
    _diary_names_are_free,
    _covariates_come_before_the_dose,
    _covariates_are_in_the_diary,
    _thresholds_are_in_order,
    _a_prior_of_ones_own_has_a_reason,
)


def _of(fields: Fields, table: str, key: str) -> Any:
    """Return the value of a key in a table; None where either is absent or mistaken. A default table is a dataclass."""
    found = fields.get(table)
    return found.get(key) if isinstance(found, Mapping) else getattr(found, key, None)


def _numbered(fields: Fields, table: str) -> Iterator[tuple[int, Fields]]:
    return enumerate(fields.get(table, ()), start=1)


def _count(units: int | None) -> str:
    return "none given" if units is None else str(units)
