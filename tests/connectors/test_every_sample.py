"""Every real export that the project knows is read, or refused for the right reason; every record accounted for."""

from pathlib import Path

import pytest

from nof1.errors import DataError, Nof1Error, NothingImportedError, UsageError
from nof1.study.imports import preview_exports

READ = {
    # file: connector, records read, accepted, merged, rejected
    "apple/apple_ios16_sleep_day_1-5.xml": ("apple", 5, 5, 0, 0),
    "fitbit/UserSleeps_2026-03-19.csv": ("fitbit", 26, 26, 0, 0),
    "fitbit/fitbit_webapi_v1.2_sleep_by_date_list.json": ("fitbit", 59, 59, 0, 0),
    "garmin/2023-05-14_2023-08-22_115618364_sleepData.json": ("garmin", 6, 6, 0, 0),
    "garmin/connect_dailySleepData_2025-07-07.json": ("garmin", 1, 1, 0, 0),
    "openmhealth/shimmer-fitbit-sleep-date.json": ("fitbit", 2, 2, 0, 0),
    "openmhealth/shimmer-withings-sleep-summary.json": ("withings", 2, 2, 0, 0),
    "openmhealth/valid-sleep-episode-1.1.json": ("openmhealth", 1, 1, 0, 0),
    "oura/oura_v2_api_sleep.json": ("oura", 2, 2, 0, 0),
    "samsung/com.samsung.shealth.sleep.20241203_2rows.csv": ("samsung", 2, 2, 0, 0),
    "sleep-as-android/sleep-export.1606736472.zip": ("sleep_as_android", 9, 9, 0, 0),
    "sleep-as-android/sleep-export_2018.csv": ("sleep_as_android", 332, 332, 0, 0),
    "sleepcycle/sleepdata_gen2_comma.csv": ("sleepcycle", 1373, 1373, 0, 0),
    "sleepcycle/sleepdata_gen3_stages.csv": ("sleepcycle", 1476, 1476, 0, 0),
    "whoop/sleeps.csv": ("whoop", 409, 408, 0, 1),
    "whoop/whoop_export_fixture_synthetic.zip": ("whoop", 120, 60, 60, 0),
    "withings/api_v2_sleep_get.json": ("withings", 8, 7, 0, 1),
    "withings/api_v2_sleep_summary.json": ("withings", 300, 300, 0, 0),
    "withings/sleep_en_night_events.csv": ("withings", 6, 6, 0, 0),
}
REFUSED: dict[str, tuple[type[Nof1Error], str]] = {
    "apple/apple_exampleExportBits.xml": (NothingImportedError, "nothing has written any into the Health app"),
    "fitbit/UserSleepStages_2026-03-19.csv": (DataError, "goes with nights that are not here"),
    "google-fit/googlefit-rest-activity-segments-only-sleep.json": (UsageError, "--untested-ok"),
    "health-connect/health_connect_export_SYNTHETIC_schema.sql": (DataError, "holds no sleep that nof1 knows"),
    "openmhealth/sleep-episode-1.1.schema.json": (DataError, "holds no sleep that nof1 knows"),
    "samsung/com.samsung.health.sleep_stage.20190608_2rows.csv": (DataError, "goes with nights that are not here"),
    "withings/raw_tracker_sleep-state_2026_excerpt.csv": (DataError, "goes with nights that are not here"),
    "ORIGINS.tsv": (DataError, "holds no sleep that nof1 knows"),
}


def test_no_sample_is_forgotten(shared_samples: Path) -> None:
    """Each file is in one of the two tables."""
    found = {str(path.relative_to(shared_samples)) for path in shared_samples.rglob("*") if path.is_file()}
    assert found == READ.keys() | REFUSED.keys()


@pytest.mark.parametrize(("name", "account"), READ.items())
def test_a_real_export_is_read_whole(shared_samples: Path, name: str, account: tuple[str, int, int, int, int]) -> None:
    """One connector recognises it, and what became of each record is what it was when a person looked."""
    (file,) = preview_exports([shared_samples / name], zone="America/New_York").files
    assert (file.connector, file.read, file.accepted, file.merged, file.rejected) == account


@pytest.mark.parametrize(("name", "why"), REFUSED.items())
def test_what_is_no_export_is_refused_for_the_right_reason(
    shared_samples: Path, name: str, why: tuple[type[Nof1Error], str]
) -> None:
    """Half an export, a document about exports, and a reader that never met one: each has its own sentence."""
    error, sentence = why
    with pytest.raises(error, match=sentence):
        preview_exports([shared_samples / name], zone="America/New_York")
