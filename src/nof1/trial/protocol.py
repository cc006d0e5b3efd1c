"""The protocol: the prespecified document, from TOML text to a checked value.

Each table of the file is one dataclass below, each key one field. Adding a key is adding a field: its annotation is its
check (`nof1.trial.keys`), its default is what an absent key means. What keys may not say *together* stands in
`nof1.trial.contradictions`.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal

from nof1.errors import DataError, ProtocolError
from nof1.sleep.measures import MEASURES
from nof1.trial.contradictions import contradictions
from nof1.trial.keys import NOT_A_KEY, Derived, OneOf, Spelled, Within, Written, build, read_table
from nof1.trial.scheme import NOT_YET, SCHEMES

LARGEST_FILE: Final = 1_000_000
"""Characters; a protocol is a page of text."""

DEFAULT_WORTHWHILE: Final = {"deep_min": 10.0, "sol_min": 10.0}
"""Device minutes, where the protocol gives no worthwhile change of its own. Deep sleep: no accepted MCID exists; 10 is
about half a within-person SD. Latency: the delivery-method threshold of Edinger 2021, Table 3 (PMC7853211)."""
DEFAULT_WORTHWHILE_RATIO: Final = {"sol_min": 0.80}
"""Used instead of minutes where the run-in median latency is 20 to 25 minutes."""

Code = Annotated[str, Spelled(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "1 to 32 letters, digits, - or _")]
Name = Annotated[str, Spelled(r"[a-z][a-z0-9_]{0,31}", "1 to 32 small letters, digits or _, a letter first")]
Probability = Annotated[float, Within(low=0.5, below=1)]
Hours = Annotated[float, Within(low=0, high=48)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A treatment with a plain description.

    Parameters
    ----------
    elemental_mg
        Milligrams of the element itself, not of its salt; None where the arm holds no such supplement.
    units_per_dose
        Capsules, tablets, glasses; 0 says that the arm has no dose to take, None that doses are not counted.
    acknowledged_above_limit
        A clinician has agreed to a dose above ``safety.supplement_upper_limit_mg``.
    """

    code: Code
    label: str
    salt: str | None = None
    elemental_mg: Annotated[float | None, Within(low=0, high=5_000)] = None
    units_per_dose: Annotated[int | None, Within(low=0, high=100)] = None
    take: str | None = None
    reference: bool = False
    acknowledged_above_limit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How the order of the arms is drawn, and for how many nights each stands.

    Under the scheme ``fixed`` the dates come from the schedule that is brought, and only `transition_nights` is used.
    """

    scheme: Annotated[str, OneOf((*SCHEMES, *NOT_YET))]
    blocks: Annotated[int, Within(low=2, high=200)] = 6
    period_nights: Annotated[int, Within(low=1, high=365)] = 10
    transition_nights: Annotated[int, Within(low=0, high=364)] = 3
    run_in_nights: Annotated[int, Within(low=0, high=365)] = 7
    washout_nights: Annotated[int, Within(low=0, high=365)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """From whom the allocation is concealed. A protocol without this table is open label."""

    concealed_from: tuple[Literal["participant", "clinician"], ...] = ("participant", "clinician")
    custodian: bool = True
    guess: Literal["last night of each period", "never"] = "last night of each period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is measured, which sign is better, and the smallest change worth having.

    Parameters
    ----------
    measure
        A name of `nof1.sleep.measures.MEASURES`; `worthwhile` is in its unit.
    role
        Where no outcome says it, the first is primary and the others are secondary.
    better
        The catalogue's word where it has one.
    worthwhile
        In the measure's unit as the device counts it; None claims no worthwhile change.
    worthwhile_ratio
        Latency only: arm ÷ reference, used where the baseline median is under 25 minutes.
    """

    measure: Annotated[str, OneOf(tuple(MEASURES))]
    role: Annotated[Literal["primary", "secondary"], Derived("the first outcome is primary")]
    better: Annotated[Literal["higher", "lower"], Derived("the catalogue of measures")]
    worthwhile: Annotated[float | None, Within(above=0), Derived("DEFAULT_WORTHWHILE")] = None
    worthwhile_ratio: Annotated[float | None, Within(above=0), Derived("DEFAULT_WORTHWHILE_RATIO")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryItem:
    """Something the person is asked every night.

    Parameters
    ----------
    covariate
        Whether the analysis may adjust for it: only what happened before the dose.
    """

    key: Name
    type: Literal["number", "boolean", "text"] = "number"
    when: Literal["before dose", "evening", "morning"] = "before dose"
    covariate: bool = False
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepRules:
    """How sessions become nights, and which flagged nights stay out of the analysis."""

    latency_source: Literal["best", "diary", "in_bed", "vendor", "stages"] = "best"
    night_boundary_h: Annotated[float, Within(low=0, below=24)] = 12.0
    merge_gap_min: Annotated[int, Within(low=0, high=720)] = 60
    exclude_flags: tuple[Name, ...] = ("manual", "incomplete", "short")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRules:
    """The thresholds of the verdicts, all of them posterior probabilities, fixed before the first night.

    Parameters
    ----------
    benefit
        P(effect in the better direction) that a benefit needs.
    worthwhile, meaningful
        P(beyond the worthwhile change) that a benefit, and a meaningful benefit, need as well.
    prior_effect_sd
        Prior SD of the effect in the primary outcome's unit; ``"default"`` is the model's own.
    prior_effect_reason
        Why another one was chosen.
    covariates
        Keys of the diary; where the protocol does not say, every diary item marked as a covariate.
    """

    ci_prob: Probability = 0.95
    benefit: Probability = 0.95
    worthwhile: Annotated[float, Within(low=0, below=1)] = 0.5
    meaningful: Annotated[float, Within(low=0, below=1)] = 0.8
    no_worthwhile_difference: Probability = 0.975
    prior_effect_sd: Annotated[float | Literal["default"], Within(low=0.1, high=1_000)] = "default"
    prior_effect_reason: str | None = None
    covariates: Annotated[tuple[Name, ...], Derived("the diary items marked as covariates")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Hours to keep between a medicine and the dose: the medicine this long before it, or this long after."""

    drug: str
    before_h: Hours
    after_h: Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What to ask, log and stop for. nof1 records and gates; it never recommends a dose.

    Parameters
    ----------
    supplement_upper_limit_mg
        Milligrams of elemental magnesium a day from supplements. 250: EU SCF 2001, EFSA 2006; 350 in the US: IOM 1997.
    warnings
        Sentences that the person reads before the first night.
    """

    supplement_upper_limit_mg: Annotated[float, Within(above=0, high=5_000)] = 250.0
    ask_before: tuple[str, ...] = (
        "under 18",
        "kidney disease or eGFR < 30",
        "kidney function unknown and 65 or over, or on ACE inhibitor, ARB, NSAID or diuretic",
        "heart block",
        "myasthenia gravis",
        "bowel obstruction",
        "pregnancy",
        "digoxin",
        "lithium",
        "potassium-sparing diuretic",
        "magnesium antacid or laxative",
    )
    separate: tuple[Separation, ...] = (
        Separation(drug="quinolone", before_h=2, after_h=6),
        Separation(drug="tetracycline", before_h=3, after_h=3),
        Separation(drug="bisphosphonate", before_h=4, after_h=4),
        Separation(drug="iron", before_h=4, after_h=4),
        Separation(drug="levothyroxine", before_h=4, after_h=4),
    )
    log: tuple[str, ...] = ("stools", "nausea", "cramps", "light-headedness")
    stop_if: tuple[str, ...] = ("diarrhoea on two days running",)
    emergency: str = (
        "Fainting, slow pulse, marked drowsiness or trouble breathing: stop, seek emergency care, "
        "do not wait for unblinding."
    )
    warnings: tuple[str, ...] = ()


OPEN_LABEL: Final = Blinding(concealed_from=(), custodian=False, guess="never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A protocol without mistakes, as `parse_protocol` makes it.

    Parameters
    ----------
    shows
        What this trial can and cannot show, in a sentence or two.
    sha256
        Of the exact text (UTF-8), in hexadecimal.
    """

    schema: Literal[1] = 1
    id: Annotated[str, Spelled(r"[a-z0-9][a-z0-9-]{0,63}", "1 to 64 small letters, digits or -")] = "trial"
    title: str = "A trial in one person"
    question: str = ""
    shows: str = ""
    arms: Annotated[tuple[Arm, ...], Written("arm")]
    design: Design
    blinding: Blinding = OPEN_LABEL
    outcomes: Annotated[tuple[Outcome, ...], Written("outcome")]
    diary: tuple[DiaryItem, ...] = ()
    sleep: SleepRules = SleepRules()
    analysis: AnalysisRules
    safety: Safety = Safety()
    sha256: str = field(default="", metadata=NOT_A_KEY)

    @property
    def conceals(self) -> bool:
        """Whether the allocation is sealed from anybody; otherwise the trial is open label."""
        return bool(self.blinding.concealed_from)

    @property
    def has_reference(self) -> bool:
        """Whether an arm is marked as the reference; two actives have none."""
        return any(arm.reference for arm in self.arms)

    @property
    def reference(self) -> Arm:
        """The arm that the effect is counted from: the one marked so, else the second of two actives."""
        return next((arm for arm in self.arms if arm.reference), self.arms[1])

    @property
    def treatment(self) -> Arm:
        """The other arm: effects are treatment − reference."""
        return next(arm for arm in self.arms if arm is not self.reference)

    def arm(self, code: str) -> Arm:
        """Look an arm up by its code.

        Raises
        ------
        DataError
            No arm has that code.
        """
        for arm in self.arms:
            if arm.code == code:
                return arm
        raise DataError(f"No arm has the code {code!r}; this protocol has {', '.join(arm.code for arm in self.arms)}.")


def parse_protocol(text: str, *, where: str = "protocol.toml") -> Protocol:
    """Read and check a protocol.

    Parameters
    ----------
    text
        TOML. Only the arms, a scheme and one outcome are required.
    where
        The name of the file, for the message.

    Raises
    ------
    ProtocolError
        Every mistake at once, each with its key path; members of an array count from 1, so that
        ``outcome[2].worthwhile`` is the worthwhile change of the second ``[[outcome]]``.
    """
    mistakes: list[str] = []
    fields = read_table(Protocol, _parse_toml(text, where), "", mistakes)
    _derive(fields)
    mistakes += contradictions(fields)
    if mistakes:
        raise ProtocolError(where, mistakes)
    return replace(build(Protocol, fields), sha256=hashlib.sha256(text.encode("utf-8")).hexdigest())


def _parse_toml(text: str, where: str) -> dict[str, Any]:
    """Parse the text; a syntax error is the only mistake that can be told, for nothing after it can be read."""
    if len(text) > LARGEST_FILE:
        raise ProtocolError(where, [f"{len(text):,} characters: too long for a protocol, which is a page of text"])
    try:
        text.encode("utf-8")
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ProtocolError(where, ["not TOML that can be read: brackets nested too deeply"]) from None
    except ValueError as error:  # TOMLDecodeError, numbers of too many digits, text that is not Unicode
        place = re.fullmatch(r"(.*) \(at (line \d+, column \d+|end of document)\)", str(error), re.DOTALL)
        raise ProtocolError(where, [f"{place[2]}: {place[1]}" if place else f"not TOML: {error}"]) from None


def _derive(fields: dict[str, Any]) -> None:
    """Fill in what an absent key takes from other keys."""
    outcomes: tuple[dict[str, Any], ...] = fields.get("outcomes", ())
    roles_said = any("role" in outcome for outcome in outcomes)
    for place, outcome in enumerate(outcomes):
        name = outcome.get("measure")
        measure = MEASURES.get(name) if name else None
        outcome.setdefault("role", "secondary" if roles_said or place else "primary")
        if measure and measure.better:
            outcome.setdefault("better", measure.better)
        outcome.setdefault("worthwhile", DEFAULT_WORTHWHILE.get(name or ""))
        outcome.setdefault("worthwhile_ratio", DEFAULT_WORTHWHILE_RATIO.get(name or ""))
    marked = tuple(item["key"] for item in fields.get("diary", ()) if item.get("covariate") and "key" in item)
    if "analysis" in fields:
        fields["analysis"].setdefault("covariates", marked)
