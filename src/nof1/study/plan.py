"""The plan: what a protocol's design would tell, from default noise or from the person's own nights."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from math import log
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from nof1.errors import DataError, InputMissingError, NotAllowedError, UsageError, WriteError
from nof1.model.assurance import TRIALS, Judgement
from nof1.model.own_noise import OwnNoise, own_noise
from nof1.model.plan import DETECTS, SEARCH_TRIALS, SEED, Published, Told, foretell, published_effect
from nof1.model.priors import Priors, priors_for
from nof1.model.scale import MINUTES_FROM, RATIO_FROM, worthwhile_scale
from nof1.model.simulation import Noise
from nof1.sleep.measures import MEASURES
from nof1.store.folder import replace_file
from nof1.store.state import chosen_stream
from nof1.study.nights import read_nights
from nof1.study.protocols import load_protocol
from nof1.study.study import Study
from nof1.study.trials import own_prior_sd, read_trial, require_models
from nof1.trial.protocol import Arm, Contrast, Design, Outcome, Protocol
from nof1.trial.scheme import FIXED

NoiseFrom = Literal["own", "default"]

DEFAULT_NOISE: Final = Noise()
LATENCY_NOISE: Final = Noise(sigma=0.65, sigma_period=0.15, sigma_weekday=0.1, rho=0.0)
"""Of log minutes: the centres, or scales, of the priors of a latency; its nights are modelled as independent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseTold:
    """Which noise a plan reckons with.

    Parameters
    ----------
    nights, first, last
        The person's own nights that tell it; 0 and None for the default.
    sigma, sigma_ci95, rho
        SD between nights, of a latency in log minutes, and correlation of one night with the next; the 95 % interval
        where they are told by nights.
    sigma_period, missing
        SD between periods, and the share of nights that will not be recorded: always the default.
    why_default
        Why own nights do not tell it; None where they do, or where nobody asked them.
    """

    source: NoiseFrom
    nights: int
    first: date | None
    last: date | None
    sigma: float
    sigma_ci95: tuple[float, float] | None
    rho: float
    sigma_period: float
    missing: float
    why_default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a design would tell about the primary outcome.

    Parameters
    ----------
    contrast
        The one that was looked at; `alike` has the others, whose chances are the same.
    as_ratio
        Effects, intervals and SDs are of log minutes: to be told as ratios.
    worthwhile, worthwhile_why
        The worthwhile change on the scale of the effects, and what it rests on; None where none is claimed.
    nights, used_nights
        On an arm, and of these compared, where none is missing.
    direction_from
        P(better) that a benefit needs.
    detects_from
        Chance of seeing the direction of the published effect from which a design detects it.
    """

    protocol: str
    protocol_sha256: str
    contrast: Contrast
    against_reference: bool
    alike: tuple[str, ...]
    outcome: Outcome
    label: str
    unit: str
    as_ratio: bool
    worthwhile: float | None
    worthwhile_why: str
    design: Design
    arms: int
    nights: int
    used_nights: int
    noise: NoiseTold
    published: Published | None
    direction_from: float
    detects_from: float
    told: Told
    trials: int
    search_trials: int
    seed: int

    def to_payload(self) -> dict[str, Any]:
        """Return plain values, for JSON and for the words of `nof1.report.plan`."""
        return asdict(self)


def plan(
    protocol: Path | str,
    *,
    study: Study | None = None,
    participant: str | None = None,
    noise: NoiseFrom | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Plan:
    """Say what the design of a protocol would tell about its primary outcome, before anybody sleeps a night of it.

    Parameters
    ----------
    protocol
        A file, or the id of one in the library; it need not be the study's own.
    study, participant
        Whose nights before the first period tell the noise, and whose device it is.
    noise
        None takes the person's own nights where there are enough of them, and says why where not.

    Raises
    ------
    ProtocolError, InputMissingError, UsageError
        There is no such protocol, it has mistakes, or its schedule is brought and not drawn.
    DataError
        The primary outcome has no model, or the nights that were asked for do not tell its noise.
    NotAllowedError
        The participant withdrew.
    """
    checked = load_protocol(protocol)
    require_models(checked)
    outcome = _primary(checked)
    learned, why = _learn(checked, outcome, study, participant, noise)
    contrast = checked.contrasts[0]
    arms = _compared_first(checked, contrast)
    found = published_effect(outcome.measure, arms, _stream(study, participant))
    design = checked.design
    on_arm = design.blocks * len(arms) * design.period_nights
    bar, bar_why = _worthwhile(outcome, learned)
    return Plan(
        protocol=checked.id,
        protocol_sha256=checked.sha256,
        contrast=contrast,
        against_reference=checked.arm(contrast.reference).reference,
        alike=tuple(other.name for other in checked.contrasts[1:]),
        outcome=outcome,
        label=MEASURES[outcome.measure].label,
        unit="ratio" if _is_latency(outcome) else MEASURES[outcome.measure].unit,
        as_ratio=_is_latency(outcome),
        worthwhile=bar,
        worthwhile_why=bar_why,
        design=design,
        arms=len(arms),
        nights=on_arm,
        used_nights=on_arm - design.blocks * len(arms) * design.transition_nights,
        noise=_noise_told(outcome, learned, why),
        published=found,
        direction_from=checked.analysis.benefit,
        detects_from=DETECTS,
        told=_foretold(checked, outcome, arms, learned, worthwhile=bar, published=found, progress=progress),
        trials=TRIALS,
        search_trials=SEARCH_TRIALS,
        seed=SEED,
    )


def write_plan_figure(planned: Plan, path: Path) -> None:
    """Draw the chances as bars, into a new SVG file.

    Raises
    ------
    WriteError
        The file exists already, or cannot be written.
    """
    from nof1.report.plan import plan_figure

    if path.exists():
        raise WriteError(f"{path} is there already. Name another file with --figure, or delete it first.")
    replace_file(path, plan_figure(planned.to_payload()).wide.encode())


def _foretold(
    protocol: Protocol,
    outcome: Outcome,
    arms: list[Arm],
    learned: OwnNoise | None,
    *,
    worthwhile: float | None,
    published: Published | None,
    progress: Callable[[str], None],
) -> Told:
    def noises(trials: int) -> list[Noise]:
        return learned.draw(trials, SEED) if learned else [_default_noise(outcome)] * trials

    return foretell(
        protocol.design,
        arms,
        _priors(protocol, outcome, learned),
        Judgement(
            rules=protocol.analysis,
            worthwhile=worthwhile,
            better=outcome.better,
            contrast=protocol.contrasts[0],
        ),
        noises=noises,
        trials=TRIALS,
        published=published,
        progress=progress,
    )


def _primary(protocol: Protocol) -> Outcome:
    """Return the primary outcome, if there is a design to plan."""
    if protocol.design.scheme == FIXED:
        raise UsageError(
            f"The schedule of {protocol.id} is brought, not drawn: it has no design to plan. Name a scheme that draws "
            "in [design], with blocks and nights like yours."
        )
    return protocol.primary


def _is_latency(outcome: Outcome) -> bool:
    return MEASURES[outcome.measure].family == "lognormal"


def _default_noise(outcome: Outcome) -> Noise:
    return LATENCY_NOISE if _is_latency(outcome) else DEFAULT_NOISE


def _worthwhile(outcome: Outcome, learned: OwnNoise | None) -> tuple[float | None, str]:
    """Put the worthwhile change on the scale of the effects: of a latency, how much a logarithm is lower.

    Without own nights the protocol's ratio is reckoned with, as of somebody whose median lies where ratios are claimed.
    """
    if _is_latency(outcome) and learned is None:
        bar = None if outcome.worthwhile_ratio is None else -log(outcome.worthwhile_ratio)
        return bar, f"as a ratio, as of a median between {RATIO_FROM:.0f} and {MINUTES_FROM:.0f} minutes"
    median = learned.median if learned else None
    scale = worthwhile_scale(outcome, MEASURES[outcome.measure], median, pl.DataFrame())
    if not _is_latency(outcome) or (scale.ratio is None and scale.minutes is None):
        return scale.minutes, scale.why
    ratio = scale.ratio if scale.ratio is not None else 1 - (scale.minutes or 0.0) / (median or MINUTES_FROM)
    return -log(ratio), scale.why.replace("run-in", "nights before the trial")


def _compared_first(protocol: Protocol, contrast: Contrast) -> list[Arm]:
    compared = [protocol.arm(contrast.arm), protocol.arm(contrast.reference)]
    return [*compared, *(arm for arm in protocol.arms if arm not in compared)]


def _learn(
    protocol: Protocol, outcome: Outcome, study: Study | None, participant: str | None, noise: NoiseFrom | None
) -> tuple[OwnNoise | None, str | None]:
    """Learn the noise from the person's own nights; else say why it is the default's."""
    if noise == "default":
        return None, None
    if study is None:
        if noise == "own":
            raise UsageError("--noise own needs a study with nights: name it with --study FOLDER.")
        return None, None
    try:
        nights = _baseline_nights(protocol, study, participant)
        return own_noise(nights, outcome.measure, effect_sd=own_prior_sd(protocol, outcome)), None
    except (DataError, InputMissingError) as error:
        if noise == "own":
            raise
        return None, str(error)


def _baseline_nights(protocol: Protocol, study: Study, participant: str | None) -> pl.DataFrame:
    """Return the nights before the first period, the last of them: no more than the trial itself will have.

    What was years ago tells little of now, and a straight trend would not take it out.
    """
    nights: pl.DataFrame = read_nights(study, participant=participant)
    with study.record() as record:
        person = study.participant(record, participant)
        begun = record.events("started_trial", participant=person.code)
        trial = read_trial(study, record, person.code) if begun else None
    if trial is not None and trial.conduct.withdrawn:
        raise NotAllowedError(f"{person.code} withdrew: nothing is planned from these nights.")
    if trial is not None and trial.schedule.first_on_arm is not None:
        nights = nights.filter(pl.col("night") < trial.schedule.first_on_arm)
    design = protocol.design
    length = design.blocks * len(protocol.arms) * (design.period_nights + design.washout_nights)
    recent = pl.col("night") > pl.col("night").max() - timedelta(days=length)
    flags = pl.lit(list(protocol.sleep.exclude_flags), dtype=pl.List(pl.String))
    excluded = pl.col("flags").list.set_intersection(flags).list.len() > 0
    return nights.filter(recent & ~excluded)


def _stream(study: Study | None, participant: str | None) -> str | None:
    if study is None:
        return None
    with study.record() as record:
        chosen = chosen_stream(record, study.participant(record, participant).code)
    return chosen.stream if chosen else None


def _priors(protocol: Protocol, outcome: Outcome, learned: OwnNoise | None) -> Priors:
    if learned is not None:
        return learned.priors
    if outcome.measure != "deep_min" and not _is_latency(outcome):
        raise DataError(
            f"How much {outcome.measure} varies is only told by a person's own nights: import some before the trial, "
            "and plan with --study FOLDER."
        )
    return priors_for(outcome.measure, baseline=None, effect_sd=own_prior_sd(protocol, outcome))


def _noise_told(outcome: Outcome, learned: OwnNoise | None, why_default: str | None) -> NoiseTold:
    usual = _default_noise(outcome)
    return NoiseTold(
        source="own" if learned else "default",
        nights=learned.nights if learned else 0,
        first=learned.first if learned else None,
        last=learned.last if learned else None,
        sigma=learned.sigma if learned else usual.sigma,
        sigma_ci95=learned.sigma_ci95 if learned else None,
        rho=learned.rho if learned else usual.rho,
        sigma_period=learned.priors["sigma_period"].scale if learned else usual.sigma_period,
        missing=usual.missing,
        why_default=why_default,
    )
