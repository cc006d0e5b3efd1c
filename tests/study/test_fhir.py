"""A study as a FHIR bundle: read by other eyes, true to the nights, and silent about what is concealed."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export

from nof1.study.fhir import LOINC, _recorded, fhir_bundle
from nof1.study.nights import read_nights
from nof1.study.study import Study, create_study, open_study

NIGHTS = 28
SPRING = date(2026, 3, 20)
"""The clocks of `ZONE` change nine nights later."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an open trial over the spring clock change, its nights imported."""
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        typist = Typist(home)
        (home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
        (home / "schedule.csv").write_text(schedule_csv(alternating(7), NIGHTS, first=SPRING))
        write_export(home / "takeout.zip", NIGHTS, first=SPRING)
        typist.does("init", "study", "--zone", ZONE)
        typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", "study")
        typist.does("import", "takeout.zip", "--study", "study")
    return home / "study"


def at(folder: Path, now: datetime) -> Study:
    """The study at a moment."""
    return open_study(folder, clock=lambda: now)


@pytest.fixture
def study(whole: Path) -> Study:
    """The study of `whole`, when the trial is over."""
    return at(whole, datetime(2026, 11, 22, 12, tzinfo=UTC))


def kinds(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """All resources of that kind."""
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def references(value: Any) -> list[str]:
    """Every reference inside."""
    if isinstance(value, dict):
        inner = [found for one in value.values() for found in references(one)]
        return inner + ([value["reference"]] if isinstance(value.get("reference"), str) else [])
    return [found for one in value for found in references(one)] if isinstance(value, list) else []


def check_bundle(bundle: dict[str, Any]) -> None:
    """Read it with the models of FHIR, and lose nothing; every id stands once, and every reference leads to one."""
    assert json.loads(Bundle(**bundle).model_dump_json()) == json.loads(json.dumps(bundle))
    for entry in bundle["entry"]:
        model = get_fhir_model_class(entry["resource"]["resourceType"])
        model(**entry["resource"])
        if "status" in entry["resource"]:
            assert entry["resource"]["status"] in model.model_fields["status"].json_schema_extra["enum_values"]
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(urls) == len(set(urls))
    assert urls == [f"urn:uuid:{entry['resource']['id']}" for entry in bundle["entry"]]
    assert set(references(bundle)) <= set(urls)


def test_the_models_of_fhir_read_it(study: Study) -> None:
    """A trial that is over is valid FHIR (the models are R4B's: these resources are R4's), and holds what it should."""
    bundle = fhir_bundle(study)
    check_bundle(bundle)
    nights = read_nights(study)
    found = {kind: len(kinds(bundle, kind)) for kind in ("Patient", "Device", "ResearchStudy", "ResearchSubject")}
    assert found == {"Patient": 1, "Device": 1, "ResearchStudy": 1, "ResearchSubject": 1}
    assert len(kinds(bundle, "Observation")) == nights.height * len(LOINC)
    (trial,), (subject,) = kinds(bundle, "ResearchStudy"), kinds(bundle, "ResearchSubject")
    assert (trial["status"], subject["status"]) == ("completed", "off-study")
    assert [arm["name"] for arm in trial["arm"]] == ["magnesium", "placebo"]


def test_the_check_is_one(study: Study) -> None:
    """A key that FHIR does not have is found, and so is a status, a reference into nothing, a time without offset."""
    for spoil in (
        lambda bundle: bundle["entry"][0]["resource"].update(colour="blue"),
        lambda bundle: kinds(bundle, "ResearchStudy")[0].update(status="done"),
        lambda bundle: kinds(bundle, "Observation")[0]["subject"].update(reference="urn:uuid:0"),
        lambda bundle: kinds(bundle, "Observation")[0]["effectivePeriod"].update(start="2026-01-05T22:00:00"),
    ):
        bundle = fhir_bundle(study)
        spoil(bundle)
        with pytest.raises((ValueError, AssertionError)):
            check_bundle(bundle)


@pytest.mark.parametrize("measure", LOINC)
def test_each_observation_tells_the_minutes_of_the_night(study: Study, measure: str) -> None:
    """The minutes are those of the table of nights, in UCUM's minutes, under the code that LOINC has for them."""
    code, display = LOINC[measure]
    told = {
        one["identifier"][0]["value"].split("/")[1]: one["valueQuantity"]
        for one in kinds(fhir_bundle(study), "Observation")
        if one["code"]["coding"] == [{"system": "http://loinc.org", "code": code, "display": display}]
    }
    unit = {"unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
    nights = read_nights(study)
    assert told == {
        str(night): {"value": value, **unit} for night, value in nights.select("night", measure).iter_rows()
    }


def test_offsets_are_kept_over_the_clock_change(study: Study) -> None:
    """Both ends of a night are the instants of the table; the night of the clock change has two offsets."""
    periods = {
        one["identifier"][0]["value"].split("/")[1]: one["effectivePeriod"]
        for one in kinds(fhir_bundle(study), "Observation")
    }
    for night, start, end in read_nights(study).select("night", "start", "end").iter_rows():
        begun, ended = (datetime.fromisoformat(periods[str(night)][edge]) for edge in ("start", "end"))
        assert (begun, ended) == (start.replace(microsecond=0), end.replace(microsecond=0))
        assert begun.utcoffset() == timedelta(hours=1 if night <= date(2026, 3, 28) else 2)
        assert ended.utcoffset() == timedelta(hours=1 if night < date(2026, 3, 28) else 2)


def test_a_night_of_no_stated_clock_is_told_in_utc() -> None:
    """An offset alone holds for both ends; where neither offset nor zone is known the instant stands in UTC."""
    night = {"start": datetime(2026, 1, 5, 22, tzinfo=UTC), "end": datetime(2026, 1, 6, 6, tzinfo=UTC)}
    assert _recorded(night | {"offset_start": -210, "zone": None}) == {
        "start": "2026-01-05T18:30:00-03:30",
        "end": "2026-01-06T02:30:00-03:30",
    }
    assert _recorded(night | {"offset_start": None, "zone": ZONE})["start"] == "2026-01-05T23:00:00+01:00"
    assert _recorded(night | {"offset_start": None, "zone": None})["end"] == "2026-01-06T06:00:00+00:00"


def test_what_is_missing_says_so(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night without stages has no minutes of deep sleep, not zero, and its note says why; zero minutes are zero."""
    from nof1.study import fhir

    nights = read_nights(study).head(2)
    bare = nights.with_columns(
        deep_min=pl.Series([None, 0.0]), flags=pl.Series([["unstaged"], []], dtype=pl.List(pl.String))
    )
    monkeypatch.setattr(fhir, "recorded_nights", lambda *_, **__: bare)
    bundle = fhir_bundle(study)
    check_bundle(bundle)
    unstaged, without = [
        one for one in kinds(bundle, "Observation") if one["code"]["coding"][0]["code"] == LOINC["deep_min"][0]
    ]
    assert "valueQuantity" not in unstaged
    assert unstaged["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert unstaged["note"] == [{"text": "part or all of the sleep was not divided into stages"}]
    assert without["valueQuantity"]["value"] == 0
    assert "note" not in without


def test_the_care_plan_tells_the_periods(whole: Path) -> None:
    """Of an open trial each period stands with its arm and dates; how far it is follows the clock."""
    (plan,) = kinds(fhir_bundle(at(whole, datetime(2026, 3, 29, 12, tzinfo=UTC))), "CarePlan")
    told = [activity["detail"] for activity in plan["activity"]]
    assert [one["description"] for one in told] == [
        f"Period {number}: {('magnesium', 'placebo')[(number + 1) % 2]}" for number in range(1, 5)
    ]
    assert [one["status"] for one in told] == ["completed", "in-progress", "scheduled", "scheduled"]
    assert told[1]["scheduledPeriod"] == {"start": "2026-03-27", "end": "2026-04-03"}
    assert plan["status"] == "active"


def test_the_same_study_gives_the_same_bundle_and_another_shares_no_id(
    study: Study, whole: Path, tmp_path: Path
) -> None:
    """Ids follow from the study: twice the same bytes, earlier the same ids, and none of them in another study."""
    one, again = fhir_bundle(study), fhir_bundle(study)
    earlier = fhir_bundle(at(whole, datetime(2026, 3, 29, 12, tzinfo=UTC)))
    assert json.dumps(one) == json.dumps(again)
    ids = {entry["resource"]["id"] for entry in one["entry"]}
    assert {entry["resource"]["id"] for entry in earlier["entry"]} == ids
    other = create_study(tmp_path / "other", zone=ZONE)
    typist = Typist(tmp_path)
    write_export(tmp_path / "takeout.zip", NIGHTS, first=SPRING)
    typist.does("import", tmp_path / "takeout.zip", "--study", other.folder.path)
    without_trial = fhir_bundle(other)
    check_bundle(without_trial)
    assert not kinds(without_trial, "ResearchStudy")
    assert not ids & {entry["resource"]["id"] for entry in without_trial["entry"]}


def test_the_patient_is_a_code(study: Study) -> None:
    """Of the person there is the study's own code, and nothing else."""
    (patient,) = kinds(fhir_bundle(study), "Patient")
    assert set(patient) == {"resourceType", "id", "identifier"}
    assert [one["value"] for one in patient["identifier"]] == ["P01"]


@pytest.fixture
def begun(typist: Typist) -> Typist:
    """Somebody with an open trial of four periods of a week, on the day before the first evening."""
    typist.now = datetime(2026, 1, 4, 12, tzinfo=UTC)
    (typist.home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (typist.home / "schedule.csv").write_text(schedule_csv(alternating(7), NIGHTS))
    typist.does("init", "study", "--zone", ZONE)
    typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", "study")
    return typist


def on_evening(number: int) -> datetime:
    """The afternoon before an evening counted from 0."""
    return datetime.combine(FIRST, time(15), UTC) + timedelta(days=number)


def bundle_after(typist: Typist, evening: int, *words: str) -> dict[str, Any]:
    """Type a command before an evening, and read the bundle, whose models find no fault in it."""
    typist.now = on_evening(evening)
    if words:
        typist.does(*words, "--study", "study")
    bundle = fhir_bundle(at(typist.home / "study", typist.now))
    check_bundle(bundle)
    return bundle


def statuses(bundle: dict[str, Any]) -> list[str]:
    """The status of the study, of the person in it, and of each care plan."""
    return [one["status"] for kind in ("ResearchStudy", "ResearchSubject", "CarePlan") for one in kinds(bundle, kind)]


def test_how_a_trial_ended_is_told(begun: Typist) -> None:
    """A pause, an early end and a withdrawal each have the statuses that FHIR has for them."""
    because = ("--reason", "influenza")
    paused = bundle_after(begun, 3, "pause", *because)
    assert statuses(paused) == ["temporarily-closed-to-accrual-and-intervention", "on-study", "on-hold"]
    assert statuses(bundle_after(begun, 5, "resume")) == ["active", "on-study", "active"]
    stopped = bundle_after(begun, 7, "stop", *because)
    assert statuses(stopped) == ["administratively-completed", "off-study", "revoked"]
    withdrawn = bundle_after(begun, 9, "withdraw", *because)
    assert statuses(withdrawn) == ["administratively-completed", "withdrawn", "revoked"]


def test_in_a_pause_nothing_goes_on(begun: Typist) -> None:
    """Months into it the first period is still on the way, none is over that nobody lived, and no end is known."""
    bundle_after(begun, 3, "pause", "--reason", "influenza")
    bundle = bundle_after(begun, 90)
    (plan,) = kinds(bundle, "CarePlan")
    assert [one["detail"]["status"] for one in plan["activity"]] == ["in-progress", *["scheduled"] * 3]
    (study,) = kinds(bundle, "ResearchStudy")
    assert plan["period"] == study["period"] == {"start": FIRST.isoformat()}


def test_a_trial_that_ended_before_its_first_night_has_no_span_and_no_plan(begun: Typist) -> None:
    """No end stands before a start, and no plan without a period."""
    bundle = bundle_after(begun, -3, "stop", "--reason", "moved house")
    assert statuses(bundle) == ["administratively-completed", "off-study"]
    assert [one.get("period") for kind in ("ResearchStudy", "ResearchSubject") for one in kinds(bundle, kind)] == [
        None,
        None,
    ]


def test_who_withdraws_after_the_last_night_has_lived_the_plan(begun: Typist) -> None:
    """The study is completed, and the person has taken the consent back."""
    bundle = bundle_after(begun, 60, "withdraw", "--reason", "no more")
    assert statuses(bundle) == ["completed", "withdrawn", "completed"]


def test_the_command_writes_one_file_and_never_over_another(whole: Path, typist: Typist) -> None:
    """It is private, counted, and refused where something is; a study without anything is told so."""
    told = json.loads(typist.does("export", "fhir", "P01.json", "--study", whole, "--json"))
    written = typist.home / "P01.json"
    bundle = json.loads(written.read_text())
    check_bundle(bundle)
    assert told["rows"] == {"P01.json": len(bundle["entry"])}
    assert written.stat().st_mode & 0o777 == 0o600
    before = written.read_bytes()
    assert typist("export", "fhir", "P01.json", "--study", whole).exit_code == 73
    assert written.read_bytes() == before
    (typist.home / "folder").mkdir()
    into_a_folder = typist("export", "fhir", "folder", "--study", whole)
    assert (into_a_folder.exit_code, "is there already" in into_a_folder.stderr) == (73, True)
    typist.does("init", "empty", "--zone", ZONE)
    nothing = typist("export", "fhir", "none.json", "--study", "empty")
    assert (nothing.exit_code, "nof1 import" in nothing.stderr) == (66, True)
    assert not (typist.home / "none.json").exists()
    assert "resources" in typist.does("export", "fhir", "again.json", "--study", whole)
