"""How fast sleep is found in a large export of Apple Health, beside unpacking it and beside parsing it as XML.

`NOF1_BENCHMARK_GB` says how large; run with ``-m benchmark -s``.
"""

import io
import os
import random
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.benchmarks.stopwatch import WITH_BYTECODE, seconds

from nof1.connect.connector import ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

pytestmark = pytest.mark.benchmark

SIZE = int(float(os.environ.get("NOF1_BENCHMARK_GB", "2")) * 10**9)
NIGHTS = 3_000
PARSED = 200 * 10**6
MIB = 2**20
HEAD = b'<?xml version="1.0"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData ANY>\n]>\n<HealthData locale="en_GB">\n'
TAIL = b"</HealthData>\n"
MEASURED = """
import os, sys, time
began = time.perf_counter()
_, status, used = os.wait4(os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ), 0)
print(time.perf_counter() - began, used.ru_maxrss)
sys.exit(status)
"""
"""Runs Python from a small process: the peak of a new process counts that of the one which started it."""
STAGES = ("AsleepCore", "AsleepDeep", "AsleepCore", "AsleepREM", "Awake")


def said(time_: datetime) -> str:
    """A time as Apple writes it."""
    return f"{time_:%Y-%m-%d %H:%M:%S} +0000"


def device(kind: str, model: str, address: int) -> str:
    """The attribute that makes every record long."""
    about = f"name:{kind}, manufacturer:Apple Inc., model:{kind}, hardware:{model}, software:9.1"
    return f"&lt;&lt;HKDevice: 0x2832{address:05x}&gt;, {about}&gt;"


def heartbeats(seed: int, count: int = 20_000) -> bytes:
    """A few megabytes of records that are not sleep: they shrink to a fifteenth, as a real export does."""
    draw, lines = random.Random(seed), []
    at = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=100 * seed)
    for _ in range(count):
        at += timedelta(seconds=draw.randrange(2, 900))
        begins, ends = said(at), said(at + timedelta(seconds=draw.randrange(0, 700)))
        kind, model = draw.choice((("Watch", "Watch6,1"), ("Watch", "Watch6,1"), ("iPhone", "iPhone12,1")))
        what, unit, value = draw.choice(
            (
                ("HeartRate", "count/min", f"{draw.randrange(42, 150)}"),
                ("ActiveEnergyBurned", "Cal", f"{draw.random():.5g}"),
                ("StepCount", "count", f"{draw.randrange(1, 800)}"),
            )
        )
        lines.append(
            f' <Record type="HKQuantityTypeIdentifier{what}" sourceName="Anna’s {kind}" sourceVersion="9.1" '
            f'device="{device(kind, model, draw.randrange(10**5))}" unit="{unit}" creationDate="{ends}" '
            f'startDate="{begins}" endDate="{ends}" value="{value}">\n'
            f'  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="{draw.randrange(3)}"/>\n </Record>\n'
        )
    return "".join(lines).encode()


def sleep() -> bytes:
    """Some thirty samples a night, for many nights."""
    draw, lines = random.Random(1), []
    for night in range(NIGHTS):
        at = datetime(2016, 1, 1, 22, 10, tzinfo=UTC) + timedelta(days=night, seconds=30 * draw.randrange(120))
        lines.append(sample("Anna’s iPhone", "InBed", at - timedelta(minutes=15), at + timedelta(hours=8)))
        for i in range(33):
            until = at + timedelta(seconds=30 * draw.randrange(10, 50))
            lines.append(sample("Anna’s Apple Watch", STAGES[i % len(STAGES)], at, until))
            at = until
    return "".join(lines).encode()


def sample(source: str, label: str, begins: datetime, ends: datetime) -> str:
    """One sleep sample."""
    return (
        f' <Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="{source}" sourceVersion="9.1" '
        f'device="{device("Watch", "Watch6,1", 7)}" creationDate="{said(ends)}" startDate="{said(begins)}" '
        f'endDate="{said(ends)}" value="HKCategoryValueSleepAnalysis{label}">\n'
        '  <MetadataEntry key="HKTimeZone" value="Europe/London"/>\n </Record>\n'
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export.zip that unpacks to `SIZE` bytes."""
    path = tmp_path_factory.mktemp("apple") / "export.zip"
    blocks, nights = [heartbeats(seed) for seed in range(6)], sleep()
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped,
        zipped.open("apple_health_export/export.xml", "w", force_zip64=True) as stream,
    ):
        written = stream.write(HEAD) + stream.write(nights)
        while written < SIZE:
            written += stream.write(blocks[written % len(blocks)])
        stream.write(TAIL)
    return path


def unpacked_s(archive: Path) -> tuple[float, int]:
    """Seconds of unpacking into nothing, and the bytes."""
    began, count = time.perf_counter(), 0
    with zipfile.ZipFile(archive) as zipped, zipped.open(zipped.infolist()[0]) as stream:
        while chunk := stream.read(MIB):
            count += len(chunk)
    return time.perf_counter() - began, count


def parsed_s(archive: Path) -> float:
    """Seconds of the first `PARSED` bytes as XML, as anybody would write it."""
    with zipfile.ZipFile(archive) as zipped, zipped.open(zipped.infolist()[0]) as stream:
        part = stream.read(PARSED)
    content = io.BytesIO(part[: part.rindex(b"\n <Record")] + b"\n" + TAIL)
    began, found = time.perf_counter(), 0
    for _, element in ET.iterparse(content):  # noqa: S314 (what anybody would write)
        found += element.get("type") == "HKCategoryTypeIdentifierSleepAnalysis"
        element.clear()
    assert found
    return time.perf_counter() - began


def read_s(archive: Path) -> float:
    """Seconds of recognising and reading, in this process."""
    began = time.perf_counter()
    with Export(archive) as export:
        (claim,) = recognise(export, "apple")
        imported = claim.read(ReadOptions(zone="Europe/London", zone_source="option"))
    assert imported.sessions.height == NIGHTS
    return time.perf_counter() - began


def imported_s(archive: Path, study: Path) -> tuple[float, float]:
    """Seconds and peak MiB of the whole command."""
    seconds("-m", "nof1", "init", study, "--zone", "Europe/London")
    words = [sys.executable, "-c", MEASURED, "-m", "nof1", "import", str(archive), "--study", str(study)]
    told = subprocess.run(words, check=True, capture_output=True, env=WITH_BYTECODE, text=True).stdout.split()
    return float(told[-2]), int(told[-1]) / (MIB if sys.platform == "darwin" else 1024)


def test_sleep_is_found_almost_as_fast_as_an_archive_unpacks(archive: Path, tmp_path: Path) -> None:
    """Sleep is read at 0.4 times the speed of unpacking, and imported at five times that of a parser, in 250 MiB."""
    read_s(archive)
    runs = [(*unpacked_s(archive), read_s(archive), *imported_s(archive, tmp_path / f"study{i}")) for i in range(5)]
    unpacked, size, read, imported, _ = (min(column) for column in zip(*runs, strict=True))
    peak = max(run[-1] for run in runs)
    plain = min(parsed_s(archive) for _ in range(2)) * size / PARSED
    print(f"\n{size / 1e9:.2f} GB of XML in {archive.stat().st_size / 1e6:.0f} MB, {NIGHTS} nights")
    for what, took in (("unzip", unpacked), ("read", read), ("nof1 import", imported), ("iterparse", plain)):
        print(f"{what:12} {size / took / 1e6:6.0f} MB/s  {took:5.1f} s  {unpacked / took:.2f} of unzip")
    print(f"nof1 import is {plain / imported:.1f} times as fast as iterparse, and takes {peak:.0f} MiB at most")
    assert unpacked / read >= 0.4
    assert plain / imported >= 5
    assert peak <= 250
