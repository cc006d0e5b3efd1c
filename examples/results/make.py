"""Nine invented trials, and the page that each ends with: what a result can look like, whatever it is.

Run it with: uv run python examples/results/make.py PAGES [NAME ...]

Each is lived through as a real one: drawn, sealed where its protocol conceals the arms, imported, locked, opened,
analysed. Only the sleep is invented; nothing tells the analysis what to find.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from nof1.store.seal import Custodian, Key, new_key
from nof1.study.analysis import analyse
from nof1.study.demo import InventedPerson, invent_nights
from nof1.study.diaries import log_night
from nof1.study.imports import import_exports
from nof1.study.kept_plan import keep_plan
from nof1.study.pages import write_report
from nof1.study.plan import plan
from nof1.study.sealing import lock_analysis, open_seal, unblind
from nof1.study.study import Study, create_study
from nof1.study.synthetic import write_fitbit_takeout
from nof1.study.trials import Trial, start_trial
from nof1.trial.safety import SafetyAnswers

ZONE: Final = "Europe/Berlin"
FIRST: Final = date(2025, 1, 7)
DRAW: Final = bytes(range(32))
"""The same order in every run, or a page would look different every time."""
WEEKEND: Final = (4, 5)
"""Friday and Saturday, when these people drink."""
STEADY: Final = InventedPerson(deep_sd=9.0, period_sd=1.0, missing=0.04)
RESTLESS: Final = InventedPerson(deep_sd=28.0, period_sd=5.0, missing=0.12)


@dataclass(frozen=True, kw_only=True)
class Invented:
    """One trial.

    Parameters
    ----------
    shows
        What its page is an example of.
    protocol
        From the library.
    effect
        Minutes of deep sleep that each arm adds.
    lost
        Arms on which the device was hardly ever worn.
    evenings
        After so many it is looked at; None: when it is over.
    planned
        Whether what it would tell was reckoned, and kept, before the draw.
    """

    shows: str
    protocol: str = "magnesium-glycinate"
    effect: Mapping[str, float] = field(default_factory=dict)
    person: InventedPerson = STEADY
    lost: tuple[str, ...] = ()
    evenings: int | None = None
    planned: bool = False


TRIALS: Final[Mapping[str, Invented]] = {
    "failed-gate": Invented(
        shows="nights that no model may be fitted to: the device was hardly ever worn on the placebo",
        effect={"magnesium": 20.0},
        lost=("placebo",),
    ),
    "not-enough-to-tell": Invented(
        shows="a short trial of a restless sleeper: not enough to tell",
        protocol="abab-pilot",
        effect={"magnesium": 6.0},
        person=RESTLESS,
        planned=True,
    ),
    "worsening": Invented(shows="a treatment that makes it worse", effect={"magnesium": -24.0}),
    "no-worthwhile-difference": Invented(shows="two treatments that do the same", person=STEADY),
    "descriptive-latency": Invented(
        shows="a benefit for deep sleep, beside a time to fall asleep that the device guessed and that only describes",
        effect={"magnesium": 18.0},
    ),
    "open-label": Invented(
        shows="a benefit that expectation may have made: it was known what was taken",
        protocol="magnesium-or-none",
        effect={"magnesium": 22.0},
    ),
    "sealed": Invented(
        shows="a trial on its way: how far it is, and no effect", effect={"magnesium": 18.0}, evenings=60
    ),
    "two-actives": Invented(
        shows="two treatments and no placebo: which one the nights favour",
        protocol="glycinate-or-citrate",
        effect={"bisglycinate": 30.0, "citrate": 6.0},
    ),
    "three-arms": Invented(
        shows="two treatments and a placebo: three comparisons, and which arm is best",
        protocol="magnesium-forms",
        effect={"bisglycinate": 28.0, "citrate": 14.0},
    ),
}


def live(home: Path, invented: Invented) -> Path:
    """Live through a trial in a folder, and give its page."""
    key = home / "custodian.key"
    new_key(key)
    study = create_study(home / "study", zone=ZONE, clock=lambda: noon(FIRST))
    if invented.planned:
        keep_plan(study, plan(invented.protocol))
    trial = begin(study, invented, key)
    last = FIRST + timedelta(days=invented.evenings) if invented.evenings else trial.schedule.last_night
    sleep(study, trial, invented, arms_by_night(trial, key), last)
    study = Study(study.folder, clock=lambda: noon(last + timedelta(days=2)), actor=study.actor)
    import_exports(study, [home / "takeout.zip"])
    if invented.evenings is None:
        if trial.seal:
            lock_analysis(study, looked="no")
            unblind(study, Key(file=key), reason="the trial is over")
        analyse(study)
    return write_report(study)


def noon(day: date) -> datetime:
    """Give the middle of a day."""
    return datetime.combine(day, time(12), UTC)


def begin(study: Study, invented: Invented, key: Path) -> Trial:
    """Register the protocol and draw the order, sealed to a pharmacist where the arms are concealed."""
    public = key.read_text().splitlines()[0].removeprefix("# public key: ")
    sealed = None if invented.protocol in OPEN else Custodian(public_key=public, role="pharmacist")
    begun = {"on": FIRST, "custodian": sealed, "safety": SafetyAnswers(), "entropy": lambda count: DRAW[:count]}
    return start_trial(study, invented.protocol, **begun)


OPEN: Final = ("magnesium-or-none",)


def arms_by_night(trial: Trial, key: Path) -> dict[date, str]:
    """Say what nature knows: the arm of each night."""
    sequence = open_seal(trial, Key(file=key)).allocation.sequence if trial.seal else trial.allocation.sequence
    rows = trial.calendar().select("night", "period").iter_rows()
    return {night: sequence[period - 1] for night, period in rows if period}


def sleep(study: Study, trial: Trial, invented: Invented, arms: Mapping[date, str], last: date) -> None:
    """Sleep every night up to the last, and export them; write down every dose, and what was drunk."""
    nights = (last - FIRST).days + 1
    slept = invent_nights(
        invented.person, FIRST, nights, lambda night: invented.effect.get(arms.get(night, ""), 0.0), seed=11
    )
    worn = [night for evening, night in slept.items() if arms.get(evening) not in invented.lost or evening.day == 1]
    write_fitbit_takeout(worn, study.folder.path.parent / "takeout.zip", seed=11, zone=ZONE)
    evening_of = Study(study.folder, clock=lambda: noon(last + timedelta(days=1)), actor=study.actor)
    for night in [night for night in arms if night <= last]:
        dose = {} if trial.protocol.arm(arms[night]).units_per_dose == 0 else {"dose_taken": True}
        felt = {"side_effects": {"diarrhoea": "mild" if night.day in {5, 19} else "none"}}
        asked = {item.key for item in trial.protocol.diary} & {"alcohol_units"}
        drunk = {"answers": {key: "2" if night.weekday() in WEEKEND else "0" for key in asked}}
        log_night(evening_of, night=night, reason="written up afterwards", **dose, **felt, **drunk)


def main(folder: str, *names: str) -> None:
    """Make the pages of all trials, or of those that are named."""
    for name in names or TRIALS:
        home = Path(folder) / name
        home.mkdir(parents=True)
        print(f"{live(home, TRIALS[name])}: {TRIALS[name].shows}")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["pages"])
