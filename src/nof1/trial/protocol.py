"""The protocol: the prespecified document, from TOML text to a checked value.

Each table of the file is one dataclass below, or in `nof1.trial.safety_rules`, each key one field. Adding a key is
adding a field: its annotation is its check (`nof1.trial.keys`), its default is what an absent key means, its line in
the docstring is what the template and the schema for editors say of it. What keys may not say *together* stands in
`nof1.trial.contradictions`.
"""

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Final, Literal

from nof1.errors import DataError, ProtocolError
from nof1.sleep.measures import MEASURES
from nof1.trial.about import NOTHING, About
from nof1.trial.contradictions import contradictions
from nof1.trial.defaults import fill_in
from nof1.trial.keys import NOT_A_KEY, Derived, OneOf, Spelled, Within, Written, build, read_table
from nof1.trial.safety_rules import USUAL, Safety
from nof1.trial.scheme import SCHEMES
from nof1.trial.toml import parse_toml

Code = Annotated[str, Spelled(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "1 to 32 letters, digits, - or _")]
Name = Annotated[str, Spelled(r"[a-z][a-z0-9_]{0,31}", "1 to 32 small letters, digits or _, a letter first")]
Probability = Annotated[float, Within(low=0.5, below=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A treatment with a plain description.

    Parameters
    ----------
    code
        What the arm is called in files and tables.
    label
        The treatment in words that a stranger understands.
    salt
        The chemical form, where the arm holds a mineral: bisglycinate, citrate, oxide.
    elemental_mg
        Milligrams of the element, not its salt, in one evening's dose, all units together; left out where it has none.
    units_per_dose
        Capsules, tablets, glasses; 0 says that the arm has no dose to take; left out, doses are not counted. The
        same in every arm where the arms are concealed, or counting would tell them apart.
    take
        When and how a dose is taken.
    reference
        The arm that effects are counted from: the placebo, or nothing. Treatments compared with each other have none.
    acknowledged_above_limit
        A clinician has agreed to a dose above the upper limit, and is named again when the trial begins.
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

    Under the scheme ``fixed`` run-in, periods and washout come from the schedule that is brought, and of the other keys
    only `transition_nights` and `reference_set` may be there.

    Parameters
    ----------
    scheme
        randomised-pairs: each pair of periods AB or BA by a fair coin. alternating: ABAB or BABA. counterbalanced: ABBA
        or BAAB. permuted-blocks: every block in any order. unrestricted: any balanced order. fixed: a schedule file.
    blocks
        How many blocks; each holds every arm once, so six blocks of two arms are twelve periods.
    period_nights
        Nights of a period; all of them are on one arm.
    transition_nights
        The first nights of every period, kept out of the primary analysis: what was taken before is still wearing off.
    run_in_nights
        Nights on no arm before the first period; they tell what is usual.
    washout_nights
        Nights on no arm after every period.
    longest_run
        How many periods running one arm may have at most; without it there is no limit.
    reference_set
        Of ``fixed`` only: every order of arms that the schedule could have had just as well, itself among them, each a
        list of arms with one code a period. All were equally likely; without it there is no randomisation test.
    """

    scheme: Annotated[str, OneOf(tuple(SCHEMES))]
    blocks: Annotated[int, Within(low=2, high=200)] = 6
    period_nights: Annotated[int, Within(low=1, high=365)] = 10
    transition_nights: Annotated[int, Within(low=0, high=364)] = 3
    run_in_nights: Annotated[int, Within(low=0, high=365)] = 7
    washout_nights: Annotated[int, Within(low=0, high=365)] = 0
    longest_run: Annotated[int | None, Within(low=1, high=200)] = None
    reference_set: tuple[tuple[Code, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """From whom the allocation is concealed. A protocol without this table is open label.

    Parameters
    ----------
    concealed_from
        Who must not know the arms until the seal is opened.
    custodian
        Somebody else packs the doses and holds the key.
    guess
        When the person is asked which arm they think it was.
    """

    concealed_from: tuple[Literal["participant", "clinician"], ...] = ("participant", "clinician")
    custodian: bool = True
    guess: Literal["last night of each period", "never"] = "last night of each period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is measured, which sign is better, and the smallest change worth having.

    Parameters
    ----------
    measure
        By its name in the catalogue (`nof1.sleep.measures`); `worthwhile` is in its unit.
    role
        The verdict is about the primary outcome; there is one.
    better
        Which way is better. Needed only where the catalogue does not say.
    worthwhile
        In the measure's unit as the device counts it, and fixed before the first night.
    worthwhile_ratio
        Latency only: arm ÷ reference, used where the baseline median is under 25 minutes.
    """

    measure: Annotated[str, OneOf(tuple(MEASURES))]
    role: Annotated[Literal["primary", "secondary"], Derived("the first is primary, the others secondary")]
    better: Annotated[Literal["higher", "lower"], Derived("what the catalogue says")]
    worthwhile: Annotated[
        float | None, Within(above=0), Derived("10 minutes for deep sleep and latency, none for others")
    ] = None
    worthwhile_ratio: Annotated[float | None, Within(above=0), Derived("0.8 for latency")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two arms that are compared: every outcome has an effect, arm − reference, and a verdict for each contrast.

    Parameters
    ----------
    arm, reference
        Codes of arms; an arm that is marked as the reference of the trial can only be the reference here.
    """

    arm: Code
    reference: Code

    @property
    def name(self) -> str:
        """What it is called in tables and in the posterior."""
        return f"{self.arm} − {self.reference}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryItem:
    """Something the person is asked every night.

    Parameters
    ----------
    key
        What it is called in files and tables.
    type
        What an answer is.
    when
        When it is asked.
    covariate
        Whether the analysis may adjust for it: only what happened before the dose.
    label
        The question in words.
    """

    key: Name
    type: Literal["number", "boolean", "text"] = "number"
    when: Literal["before dose", "evening", "morning"] = "before dose"
    covariate: bool = False
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepRules:
    """How sessions become nights, and which flagged nights stay out of the analysis.

    Parameters
    ----------
    latency_source
        Where the moment comes from at which the person began to try to sleep; best is the best that the device offers.
    night_boundary_h
        Hours after midnight at which one night's date gives way to the next.
    merge_gap_min
        Recordings with less than so many minutes between them are one night.
    exclude_flags
        Nights flagged so stay out of the analysis, and are listed.
    """

    latency_source: Literal["best", "diary", "in_bed", "vendor", "stages"] = "best"
    night_boundary_h: Annotated[float, Within(low=0, below=24)] = 12.0
    merge_gap_min: Annotated[int, Within(low=0, high=720)] = 60
    exclude_flags: tuple[Name, ...] = ("manual", "incomplete")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRules:
    """The thresholds of the verdicts, all of them posterior probabilities, fixed before the first night.

    Parameters
    ----------
    ci_prob
        Probability of the intervals in reports.
    benefit
        P(effect in the better direction) that a benefit needs.
    worthwhile
        P(beyond the worthwhile change) that a benefit needs as well.
    meaningful
        The same, that a meaningful benefit needs.
    no_worthwhile_difference
        P(effect within the worthwhile change, either way) that this verdict needs.
    prior_effect_sd
        Prior SD of the effect in the primary outcome's unit; ``"default"`` is the model's own.
    prior_effect_reason
        Why another one was chosen.
    covariates
        Keys of the diary; where the protocol does not say, every diary item marked as a covariate.
    looks
        When, and by whom, nights are compared by arm or period before the end. A look that is declared here takes no
        randomisation test away from a trial that runs to its planned end.
    actives
        Codes of the arms that are not the reference of the trial.
    """

    ci_prob: Probability = 0.95
    benefit: Probability = 0.95
    worthwhile: Annotated[float, Within(low=0, below=1)] = 0.5
    meaningful: Annotated[float, Within(low=0, below=1)] = 0.8
    no_worthwhile_difference: Probability = 0.975
    prior_effect_sd: Annotated[float | Literal["default"], Within(low=0.1, high=1_000)] = "default"
    prior_effect_reason: str | None = None
    covariates: Annotated[tuple[Name, ...], Derived("the diary items marked as covariates")] = ()
    looks: str | None = None
    actives: tuple[str, ...] = field(default=(), metadata=NOT_A_KEY)


OPEN_LABEL: Final = Blinding(concealed_from=(), custodian=False, guess="never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A protocol without mistakes, as `parse_protocol` makes it.

    Parameters
    ----------
    schema
        Version of this format.
    id
        A short name; the file is best called the same.
    title
        One line for the head of every report.
    question
        What the person wants to know, in a sentence.
    shows
        What this trial can and cannot show, in a sentence or two.
    contrasts
        Which arms are compared, where there are three or more and not all of it is asked.
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
    contrasts: Annotated[
        tuple[Contrast, ...], Written("contrast"), Derived("each − the reference; where there is none, every pair")
    ] = ()
    diary: tuple[DiaryItem, ...] = ()
    sleep: SleepRules = SleepRules()
    analysis: AnalysisRules
    safety: Safety = USUAL
    about: About = NOTHING
    sha256: str = field(default="", metadata=NOT_A_KEY)

    @property
    def conceals(self) -> bool:
        """Whether the allocation is sealed from anybody; otherwise the trial is open label."""
        return bool(self.blinding.concealed_from)

    @property
    def primary(self) -> Outcome:
        """The outcome that the verdict is about, wherever it stands among the others."""
        return next(outcome for outcome in self.outcomes if outcome.role == "primary")

    @property
    def has_reference(self) -> bool:
        """Whether an arm is marked as the reference; actives that are compared with each other have none."""
        return any(arm.reference for arm in self.arms)

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


@lru_cache(maxsize=4)  # a command reads the registered one several times, and nothing can change a Protocol
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
    fields = read_table(Protocol, parse_toml(text, where), "", mistakes)
    fill_in(fields)
    mistakes += contradictions(fields)
    if mistakes:
        raise ProtocolError(where, mistakes)
    protocol: Protocol = build(Protocol, fields)
    actives = tuple(arm.code for arm in protocol.arms if not arm.reference)
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return replace(protocol, analysis=replace(protocol.analysis, actives=actives), sha256=sha256)
