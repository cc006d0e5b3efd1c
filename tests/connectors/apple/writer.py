"""Writes nights as the Health app exports them."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

LABELS: Final = {WAKE: "Awake", LIGHT: "AsleepCore", DEEP: "AsleepDeep", REM: "AsleepREM"}
NUMBERS: Final = {WAKE: 2, LIGHT: 3, DEEP: 4, REM: 5}
WATCH: Final = "Robin –\u00a0Apple\u00a0Watch"
PHONE: Final = "Robin’s iPhone"
DEVICE: Final = (
    "&lt;&lt;HKDevice: 0x28{:07d}&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,2, "
    "software:9.1&gt;"
)
HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 13 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST WorkoutStatistics
  type                 CDATA #REQUIRED
  startDate            CDATA #REQUIRED
  startDate            CDATA #REQUIRED
>
]>
<HealthData locale="fi_FI">
 <ExportDate value="2025-11-03 10:00:00 +0100"/>
 <Me HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexNotSet"/>
 <Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Robin’s Apple\u00a0Watch" sourceVersion="9.1" \
unit="count/min" creationDate="2025-03-10 23:51:00 +0100" startDate="2025-03-10 23:50:00 +0100" \
endDate="2025-03-10 23:50:00 +0100" value="54">
  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>
 </Record>
 <Record type="HKQuantityTypeIdentifierStepCount" sourceName="HKCategoryTypeIdentifierSleepAnalysis" unit="count" \
startDate="2025-03-10 12:00:00 +0100" endDate="2025-03-10 12:09:00 +0100" value="812"/>
"""
TAIL: Final = """ <Workout workoutActivityType="HKWorkoutActivityTypeWalking" duration="20" sourceName="Robin’s iPhone">
  <WorkoutStatistics type="HKQuantityTypeIdentifierHeartRate" startDate="2025-03-10 12:00:00 +0100" \
startDate="2025-03-10 12:00:00 +0100" endDate="2025-03-10 12:20:00 +0100" average="101"/>\x0b
 </Workout>
</HealthData>
"""
EXPORTED_AT: Final = datetime(2025, 11, 3, 9, tzinfo=UTC)


def said(night: Night, instant: datetime) -> str:
    """An instant as the phone writes it: every time has the offset of the day of the export."""
    exported = timezone(night.local(EXPORTED_AT).utcoffset() or timedelta(0))
    return instant.astimezone(exported).strftime("%Y-%m-%d %H:%M:%S %z")


def record(night: Night, source: str, label: str, begins: datetime, ends: datetime) -> str:
    """One sleep sample as an iPhone of today writes it."""
    device = f' device="{DEVICE.format(begins.minute)}"' if source == WATCH else ""
    return (
        f' <Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="{source}" sourceVersion="9.1"{device} '
        f'creationDate="{said(night, night.end)}" startDate="{said(night, begins)}" endDate="{said(night, ends)}" '
        f'value="HKCategoryValueSleepAnalysis{label}">\n'
        f'  <MetadataEntry key="HKTimeZone" value="{night.zone}"/>\n </Record>\n'
    )


def watch_and_phone(nights: Sequence[Night]) -> Iterator[str]:
    """The watch's stages, which begin with sleep; the phone's time in bed, of which a glance at it makes two."""
    for night in nights:
        for begins, ends, stage in night.pieces[1:]:
            yield record(night, WATCH, LABELS[stage], begins, ends)
        picked_up = night.end - timedelta(minutes=40)
        yield record(night, PHONE, "InBed", night.start, picked_up)
        yield record(night, PHONE, "InBed", picked_up + timedelta(seconds=89), night.end)


def write_export(nights: Sequence[Night], folder: Path) -> Path:
    """The archive of a phone: its samples in one large file, and beside it a clinical document and a route."""
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("apple_health_export/export.xml", HEAD + "".join(watch_and_phone(nights)) + TAIL)
        archive.writestr(
            "apple_health_export/export_cda.xml",
            '<?xml version="1.0"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Health Data Export</title>'
            "</ClinicalDocument>\n",
        )
        archive.writestr("apple_health_export/workout-routes/route_2025-03-10.gpx", "<gpx/>")
    return path


def app(nights: Sequence[Night]) -> Iterator[str]:
    """An app's own stages and time in bed: another order of attributes, numbers for words, no zone, no children."""
    for night in nights:
        bounds = [(night.start, night.end, 0), *((b, e, NUMBERS[stage]) for b, e, stage in night.pieces[1:])]
        for begins, ends, number in bounds:
            yield (
                f' <Record startDate="{said(night, begins)}" endDate="{said(night, ends)}" value="{number}" '
                f'sourceName="AutoSleep" type="HKCategoryTypeIdentifierSleepAnalysis"/>\n'
            )


def write_localised(nights: Sequence[Night], folder: Path) -> Path:
    """The file of a Finnish phone, taken out of its archive."""
    path = folder / "vienti.xml"
    path.write_text(HEAD + "".join(app(nights)) + TAIL)
    return path


MEASURES: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")

WRITTEN: Final = (
    Written(connector="apple", form="export", write=write_export, carries=MEASURES, latency_source="in_bed"),
    Written(connector="apple", form="export", write=write_localised, carries=MEASURES, latency_source="in_bed"),
)
