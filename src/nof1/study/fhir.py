"""A study as a FHIR R4 bundle: the nights as observations, the trial as a research study, for a clinic's own records.

Ids are UUIDs that follow from the study's first event and from what they name, so that a later export of the same study
tells the same resources. Times keep the offset of the person's clock where it is known. Of the arms it tells those
of the protocol; which night was on which it tells, as a care plan, only of a trial of which nothing is concealed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import polars as pl

from nof1.errors import InputMissingError
from nof1.report.plain import plain
from nof1.sleep.measures import MEASURES
from nof1.store.folder import replace_file, require_new
from nof1.study.exports import Exported
from nof1.study.nights import flags_in_words, recorded_nights
from nof1.study.study import Participant, Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.schedule import NIGHT, Period

Resource = dict[str, Any]

NAMESPACE: Final = UUID("6f0c2f1e-6c0b-5d3a-9a52-6e6f66310001")
"""Of the ids; the hash of a study's first event is the name in it that its own namespace has."""

LOINC: Final = {
    "tst_min": ("93832-4", "Sleep duration"),
    "deep_min": ("93831-6", "Deep sleep duration"),
    "light_min": ("93830-8", "Light sleep duration"),
    "rem_min": ("93829-0", "REM sleep duration"),
}
"""Code and LOINC's own name of each measure that is told."""

DEVICE: Final = ("stream", "device", "algorithm")
"""What makes two nights the nights of one device."""

ACTIVITY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OBJECTIVE: Final = "http://terminology.hl7.org/CodeSystem/research-study-objective-type"
UCUM: Final = "http://unitsofmeasure.org"


def export_fhir(study: Study, file: Path | str, *, participant: str | None = None) -> Exported:
    """Write the bundle of one participant into a new file.

    Raises
    ------
    WriteError
        The file is there already, or cannot be written.
    InputMissingError
        There is nothing to export yet.
    """
    path = Path(file)
    require_new(path, folder=False)
    bundle = fhir_bundle(study, participant=participant)
    text = json.dumps(bundle, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    replace_file(path, text.encode())
    return Exported(path.parent, "fhir", {path.name: len(bundle["entry"])}, {})


def fhir_bundle(study: Study, *, participant: str | None = None) -> Resource:
    """Tell what the study holds of one participant: a collection of resources that refer to each other.

    Raises
    ------
    InputMissingError
        There is nothing to tell yet.
    """
    with study.record() as record:
        person = study.participant(record, participant)
        ids = Ids.of_study(record.events()[0].hash, person)
        begun = record.events("started_trial", participant=person.code)
        trial = read_trial(study, record, person.code) if begun else None
    nights = recorded_nights(study, participant=person.code)
    if trial is None and nights.is_empty():
        raise InputMissingError("There is nothing to export yet. Next: nof1 import YOUR-EXPORT.")
    resources = [ids.named("Patient", identifier=[ids.identifier(person.code)])]
    resources += _trial(trial, ids, study.clock()) if trial else []
    resources += [*_devices(nights, ids), *_observations(nights, ids)]
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "id": ids.of("Bundle"), "type": "collection", "entry": entries}


@dataclass(frozen=True, slots=True)
class Ids:
    """Names for the resources of one participant.

    Parameters
    ----------
    study
        The namespace of this study.
    """

    study: UUID
    person: Participant

    @classmethod
    def of_study(cls, first_event: str, person: Participant) -> Self:
        """Take the study's namespace from the hash of its first event."""
        return cls(uuid5(NAMESPACE, first_event), person)

    def of(self, *what: str) -> str:
        """The id of what these words name; the same in every export."""
        return str(uuid5(self.study, json.dumps([self.person.code, *what])))

    def to(self, *what: str) -> dict[str, str]:
        """Refer to what has that id."""
        return {"reference": f"urn:uuid:{self.of(*what)}"}

    def named(self, kind: str, *what: str, **fields: Any) -> Resource:
        """Make a resource of what these words name; a field that is None or holds nothing is left out."""
        told = {key: value for key, value in fields.items() if value not in (None, "", [], {})}
        return {"resourceType": kind, "id": self.of(kind, *what), **told}

    def identifier(self, *what: str) -> dict[str, str]:
        """Name something by its own words in this study: a participant's code, a night's date."""
        return {"system": f"urn:uuid:{self.study}", "value": "/".join(what)}


def _trial(trial: Trial, ids: Ids, now: datetime) -> Iterator[Resource]:
    """Tell what was registered and how far it is; which night was on which arm, where no arm is concealed."""
    protocol, is_over = trial.protocol, trial.has_ended(now)
    yield ids.named(
        "ResearchStudy",
        identifier=[ids.identifier(protocol.id)],
        title=plain(protocol.title),
        status=_status(trial, is_over=is_over),
        description=plain(protocol.question),
        period=_span(trial),
        arm=[{"name": arm.code, "description": plain(arm.label)} for arm in protocol.arms],
        objective=[{"name": MEASURES[one.measure].label, "type": _objective(one.role)} for one in protocol.outcomes],
    )
    yield ids.named(
        "ResearchSubject",
        status="withdrawn" if trial.conduct.withdrawn else "off-study" if is_over else "on-study",
        period=_span(trial, to_the_end=is_over),
        study=ids.to("ResearchStudy"),
        individual=ids.to("Patient"),
    )
    if trial.schedule.periods and not trial.is_sealed:
        lived = min(trial.evening(now), trial.conduct.paused_since or date.max)
        yield ids.named(
            "CarePlan",
            status=_plan_status(trial, is_over=is_over),
            intent="plan",
            title="Which treatment on which nights",
            subject=ids.to("Patient"),
            period=_span(trial),
            activity=[_activity(period, now=lived) for period in trial.schedule.periods],
        )


def _status(trial: Trial, *, is_over: bool) -> str:
    conduct = trial.conduct
    if conduct.paused_since is not None:
        return "temporarily-closed-to-accrual-and-intervention"
    if trial.cut_short is not None:
        return "administratively-completed"
    return "completed" if is_over else "active"


def _plan_status(trial: Trial, *, is_over: bool) -> str:
    if trial.conduct.paused_since is not None:
        return "on-hold"
    if trial.cut_short is not None:
        return "revoked"
    return "completed" if is_over else "active"


def _span(trial: Trial, *, to_the_end: bool = True) -> dict[str, str]:
    """Tell from which evening to which morning it is; no end while a pause lasts, nothing where none was lived."""
    schedule = trial.schedule
    if not schedule.has_evenings:
        return {}
    begun = {"start": schedule.first_night.isoformat()}
    is_known = to_the_end and trial.conduct.paused_since is None
    return begun | {"end": (schedule.last_night + NIGHT).isoformat()} if is_known else begun


def _objective(role: str) -> Resource:
    return {"coding": [{"system": OBJECTIVE, "code": role}]}


def _activity(period: Period, *, now: date) -> Resource:
    """Tell one period: a treatment from its first evening to the morning after its last."""
    done = "completed" if period.last_night < now else "in-progress" if period.first_night <= now else "scheduled"
    return {
        "detail": {
            "status": done,
            "scheduledPeriod": {
                "start": period.first_night.isoformat(),
                "end": (period.last_night + NIGHT).isoformat(),
            },
            "description": f"Period {period.number}: {period.arm}",
        }
    }


def _devices(nights: pl.DataFrame, ids: Ids) -> Iterator[Resource]:
    """Tell each device together with the algorithm that made stages of what it saw."""
    for device in nights.select("source", *DEVICE).unique(maintain_order=True).iter_rows(named=True):
        name, algorithm = plain(device["device"] or device["stream"]), plain(device["algorithm"] or "")
        yield ids.named(
            "Device",
            *_device_words(device),
            manufacturer=plain(device["source"]),
            deviceName=[{"name": name, "type": "user-friendly-name"}] if name else None,
            version=[{"type": {"text": "staging algorithm"}, "value": algorithm}] if algorithm else None,
            patient=ids.to("Patient"),
        )


def _device_words(night: Resource) -> tuple[str, ...]:
    return tuple(json.dumps(night[column]) for column in DEVICE)


def _observations(nights: pl.DataFrame, ids: Ids) -> Iterator[Resource]:
    """Tell each measure of each night; one that is missing says so, and is never zero."""
    words = flags_in_words(nights)
    for night in nights.iter_rows(named=True):
        beside = {
            "subject": ids.to("Patient"),
            "effectivePeriod": _recorded(night),
            "device": ids.to("Device", *_device_words(night)),
            "note": [{"text": plain(words[flag])} for flag in night["flags"] if plain(words[flag])],
        }
        for measure, (code, display) in LOINC.items():
            evening = night["night"].isoformat()
            yield ids.named(
                "Observation",
                evening,
                measure,
                identifier=[ids.identifier(ids.person.code, evening, measure)],
                status="final",
                category=[{"coding": [{"system": ACTIVITY, "code": "activity"}]}],
                code={"coding": [{"system": "http://loinc.org", "code": code, "display": display}]},
                **beside,
                **_value(night[measure]),
            )


def _value(minutes: float | None) -> Resource:
    if minutes is None:
        return {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "unknown"}]}}
    return {"valueQuantity": {"value": minutes, "unit": "min", "system": UCUM, "code": "min"}}


def _recorded(night: Resource) -> dict[str, str]:
    """Tell when the recording began and ended, on the person's clock.

    By the zone where it is known: the offset of the start need not be that of the end. What tells neither is in UTC.
    """
    stated = None if night["offset_start"] is None else timezone(timedelta(minutes=night["offset_start"]))
    zone = ZoneInfo(night["zone"]) if night["zone"] else None
    begun, ended = stated or zone or UTC, zone or stated or UTC
    return {
        "start": night["start"].astimezone(begun).isoformat(timespec="seconds"),
        "end": night["end"].astimezone(ended).isoformat(timespec="seconds"),
    }
