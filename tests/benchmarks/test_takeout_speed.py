"""How long a Takeout of twenty thousand other files takes, every one of which is looked into (-m benchmark -s)."""

import json
import random
import statistics
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.benchmarks.stopwatch import seconds
from tests.cases import ZONE, write_export

pytestmark = pytest.mark.benchmark

FOREIGN = 20_000
NIGHTS = 365
AT_MOST_S = 2.0


def foreign(number: int, draw: random.Random) -> tuple[str, str]:
    """A file as Takeouts have them by the thousand: pulse and steps in JSON, tables, pages, photographs."""
    day = date(2010, 1, 1) + timedelta(days=number)
    kind = ("heart_rate", "steps", "calories", "table", "page", "photo")[number % 6]
    if kind in {"table", "page", "photo"}:
        name, line = {
            "table": ("Google Health/Physical Activity/active_minutes_{}.csv", "timestamp,light,moderate\n"),
            "page": ("My Activity/{}.html", "<html><body><p>Searched</p>"),
            "photo": ("Photos/IMG_{}.jpg", "\x00\x01\x02"),
        }[kind]
        return "Takeout/" + name.format(day), line + f"{day},{draw.random()}\n" * 150
    readings = [
        {"dateTime": f"{day:%m/%d/%y} {i // 60:02}:{i % 60:02}:00", "value": {"bpm": draw.randrange(45, 150)}}
        for i in range(150)
    ]
    return f"Takeout/Fitbit/Global Export Data/{kind}-{day}.json", json.dumps(readings)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of sleep among `FOREIGN` other files."""
    path = write_export(tmp_path_factory.mktemp("takeout") / "takeout.zip", NIGHTS)
    draw = random.Random(1)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as zipped:
        for number in range(FOREIGN):
            zipped.writestr(*foreign(number, draw))
    return path


def test_a_takeout_of_everything_is_sorted_out_at_once(archive: Path, tmp_path: Path) -> None:
    """Recognising and importing a year of sleep among 20,000 foreign files takes two seconds at most."""
    alone = write_export(tmp_path / "alone.zip", NIGHTS)
    runs = []
    for run in range(6):
        took = []
        for number, path in enumerate((archive, alone)):
            study = tmp_path / f"study{run}-{number}"
            seconds("-m", "nof1", "init", study, "--zone", ZONE)
            took.append(seconds("-m", "nof1", "import", path, "--study", study))
        runs.append(took)
    whole, sleep = (statistics.median(column) for column in zip(*runs[1:], strict=True))
    print(
        f"\nimport of {NIGHTS} nights among {FOREIGN:,} other files: {whole:.2f} s; of the nights alone: {sleep:.2f} s"
    )
    assert whole <= AT_MOST_S
