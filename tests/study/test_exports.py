"""A study as tables for other programs: whole, typed, and so that nobody can tell whose it is."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export

from nof1.errors import DataError
from nof1.study.deidentified import NUMBERED, deidentified
from nof1.study.exports import export_tables, tables_of
from nof1.study.study import Study, open_study
from nof1.trial.diary import SIDE_EFFECT

NIGHTS = 56
MEANT_FOR_PROGRAMS = ("source", "outcome", "why_excluded", "sleep_quality")
"""Columns whose words are nof1's own, or those of a connector."""
ASKED = """
[[diary]]
key = "alcohol_units"
type = "number"
when = "before dose"
label = "Drinks"

[[diary]]
key = "mood"
type = "text"
when = "before dose"
label = "Mood"
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trial that is over, its diary begun, its nights imported."""
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        typist = Typist(home)
        (home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10) + ASKED)
        (home / "schedule.csv").write_text(schedule_csv(alternating(7), NIGHTS))
        write_export(home / "takeout.zip", NIGHTS)
        typist.does("init", "study", "--zone", ZONE)
        typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", "study")
        typist.does("import", "takeout.zip", "--study", "study")
        said = ("--taken", "--at", "22:15", "--note", "=1+1 said Mrs Meyer", "--side-effect", "itch near Ulm=mild")
        answers = ("--answer", "alcohol_units=2", "--answer", "mood=like at Grandma Lore's")
        typist.does("log", "--date", FIRST, *said, *answers, "--study", "study")
    return home / "study"


@pytest.fixture
def study(whole: Path) -> Study:
    """The study of `whole`."""
    return open_study(whole, clock=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))


def read_back(folder: Path) -> dict[str, pl.DataFrame]:
    """Every CSV of a folder."""
    return {path.stem: pl.read_csv(path, try_parse_dates=True) for path in sorted(folder.iterdir())}


def test_every_table_is_there_with_every_row(study: Study, tmp_path: Path) -> None:
    """Nights, sessions, stages, schedule, diary and the analysed nights: as many rows as the study has of them."""
    exported = export_tables(study, tmp_path / "out", "csv")
    found, tables = read_back(tmp_path / "out"), tables_of(study)[0]
    assert list(tables) == ["nights", "sessions", "stages", "schedule", "diary", "analysed"]
    assert {name: table.height for name, table in tables.items()} == {
        name.removesuffix(".csv"): rows for name, rows in exported.rows.items()
    }
    for name, table in tables.items():
        assert found[name].columns == table.columns
        assert found[name].height == table.height
    assert found["nights"]["deep_min"].to_list() == tables["nights"]["deep_min"].to_list()
    assert found["schedule"]["arm"].to_list() == [alternating(7)(night) for night in range(NIGHTS)]
    assert found["diary"]["note"].to_list() == ["'=1+1 said Mrs Meyer"]


def test_stages_fill_the_recordings(study: Study) -> None:
    """The stages of a night add up to the minutes of its measures."""
    tables, _ = tables_of(study)
    deep = tables["stages"].filter(pl.col("stage") == "deep")["seconds"].sum() / 60
    assert deep == pytest.approx(tables["nights"]["deep_min"].sum())
    assert tables["stages"]["seconds"].min() > 0  # type: ignore[operator]


def test_the_analysed_nights_are_those_of_the_calendar(study: Study) -> None:
    """Every evening stands once an outcome, used or with the reason why not."""
    analysed = tables_of(study)[0]["analysed"]
    assert analysed.group_by("outcome").len()["len"].to_list() == [NIGHTS, NIGHTS]
    assert analysed.filter("used")["why_excluded"].null_count() == analysed["used"].sum()
    assert analysed.filter(~pl.col("used"))["why_excluded"].null_count() == 0


def test_parquet_keeps_the_types(study: Study, tmp_path: Path) -> None:
    """Read back, every table is the same, types included."""
    export_tables(study, tmp_path / "out", "parquet")
    for name, table in tables_of(study)[0].items():
        assert pl.read_parquet(tmp_path / "out" / f"{name}.parquet").equals(table, null_equal=True)


def test_a_concealed_trial_exports_no_arm(typist: Typist) -> None:
    """While the arms are sealed the schedule's are empty, and there are no analysed nights."""
    public = json.loads(typist.does("keygen", "custodian.key", "--json"))["public_key"]
    typist.does("init", "study", "--zone", ZONE)
    protocol = (
        FIXED_PROTOCOL.format(transition=2, prior_sd=10)
        .replace('scheme = "fixed"', 'scheme = "randomised-pairs"\nblocks = 2\nperiod_nights = 7')
        .replace("[[outcome]]", '[blinding]\nconcealed_from = ["participant"]\n\n[[outcome]]', 1)
    )
    (typist.home / "sealed.toml").write_text(protocol)
    typist.does(
        *("start", "sealed.toml", "--on", "2026-12-01", "--custodian", public, "--accept-weak-design"),
        *("--study", "study"),
    )
    typist.does("export", "csv", "out", "--study", "study")
    schedule = pl.read_csv(typist.home / "out" / "schedule.csv")
    assert schedule["arm"].null_count() == schedule.height > 0
    assert not (typist.home / "out" / "analysed.csv").exists()


def test_an_export_never_writes_over_another(whole: Path, typist: Typist) -> None:
    """A folder that holds something is refused; a study without anything is told so."""
    typist.does("export", "csv", "out", "--study", whole)
    again = typist("export", "csv", "out", "--study", whole)
    assert (again.exit_code, "Name a new folder" in again.stderr) == (73, True)
    typist.does("init", "empty", "--zone", ZONE)
    nothing = typist("export", "csv", "elsewhere", "--study", "empty")
    assert (nothing.exit_code, "nof1 import" in nothing.stderr) == (66, True)
    told = json.loads(typist.does("export", "parquet", "third", "--study", whole, "--json"))
    assert told["rows"]["nights.parquet"] > NIGHTS * 0.8


def everything(tables: Mapping[str, pl.DataFrame]) -> str:
    """All that stands in the tables and their headings, as text."""
    return "\n".join(table.with_columns(cs.list().list.join(" ")).write_csv() for table in tables.values())


def test_nothing_that_somebody_typed_or_a_device_told_survives(study: Study) -> None:
    """Fifty names planted in every column of text, and those of the trial: not one is left, nor a date."""
    tables, _ = tables_of(study)
    planted = [f"Meyer-{number}-of-Ulm" for number in range(50)]

    def plant(table: pl.DataFrame) -> pl.DataFrame:
        text = [name for name, kind in table.schema.items() if kind == pl.String]
        names = [name for name in text if name not in MEANT_FOR_PROGRAMS and not name.startswith(SIDE_EFFECT)]
        cycle = pl.lit(pl.Series([planted[row % 50] for row in range(table.height)]))
        flags = [pl.concat_list("flags", cycle).alias("flags")] if "flags" in table.columns else []
        return table.with_columns(*(cycle.alias(name) for name in names), *flags)

    before, after = everything(map_all(tables, plant)), everything(deidentified(map_all(tables, plant)))
    assert all(name in before for name in planted)
    assert "Ulm" not in after
    original = everything(deidentified(tables))
    typed = ("Meyer", "Lore", "itch", "mood", "magnesium", "P01", "Berlin", "2026-", *_devices(tables))
    assert not [word for word in typed if word in original]


def map_all(tables: Mapping[str, pl.DataFrame], change: object) -> dict[str, pl.DataFrame]:
    """Every table, changed."""
    return {name: change(table) for name, table in tables.items()}  # type: ignore[operator]


def _devices(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    return [str(value) for name in NUMBERED for value in tables["sessions"].to_dict().get(name, []) if value]


def test_a_deidentified_copy_tells_the_same_trial(study: Study) -> None:
    """Weekdays, distances, times of day and every measure stay; the arms are told apart, and the same in all tables."""
    tables, copied = tables_of(study)[0], deidentified(tables_of(study)[0])
    for name, column in (("nights", "night"), ("nights", "wake_date"), ("schedule", "night"), ("analysed", "night")):
        moved = (tables[name][column] - copied[name][column]).unique().to_list()
        assert len(moved) == 1
        assert moved[0] > timedelta(0)
        assert moved[0].days % 7 == 0
    assert copied["nights"]["deep_min"].equals(tables["nights"]["deep_min"])
    assert copied["schedule"]["arm"].n_unique() == 2
    together = copied["schedule"].join(copied["analysed"].filter(outcome="deep_min"), on="night")
    assert together["arm"].equals(together["arm_right"].rename("arm"))
    local = tables["nights"]["start"].dt.convert_time_zone(ZONE).dt.time()
    assert copied["nights"]["start"].dt.time().equals(local)
    assert copied["diary"].select("dose_taken", "answer 1").rows() == [(True, 2.0)]
    assert "mild" in copied["diary"].row(0)


def test_two_copies_are_moved_differently(study: Study) -> None:
    """The weeks are drawn anew each time, and written nowhere: of eight copies not all are moved alike."""
    tables = {"nights": tables_of(study)[0]["nights"]}
    assert len({deidentified(tables)["nights"]["night"].min() for _ in range(8)}) > 1
    assert max(deidentified(tables)["nights"]["night"]) < date(2026, 3, 31)


def test_a_table_that_cannot_be_made_is_named_and_the_others_are_written(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nights that cannot be laid out for the analysis take nobody's nights away, and the command says why."""
    from nof1.study import exports

    def fails(*_: object) -> pl.DataFrame:
        raise DataError("The nights cannot be compared.")

    monkeypatch.setattr(exports, "designs_of", fails)
    exported = export_tables(study, tmp_path / "out", "csv")
    assert list(exported.rows) == [f"{name}.csv" for name in ("nights", "sessions", "stages", "schedule", "diary")]
    assert exported.left_out == {"analysed": "The nights cannot be compared."}
    typist = Typist(tmp_path)
    said = typist.does("export", "csv", tmp_path / "again", "--study", study.folder.path)
    assert "Without analysed: The nights cannot be compared." in said


@pytest.mark.parametrize("table", ["nights", "sessions", "stages"])
def test_a_night_whose_offset_nobody_stated_keeps_its_time_of_day(study: Study, table: str) -> None:
    """By its zone it is the same time of the person's clock, moved by the same weeks; the others are as they were."""
    told = tables_of(study)[0][table]
    without = told.with_columns(offset_start=pl.lit(None, pl.Int16))
    mixed = pl.concat([without.head(3), told.tail(-3)])
    for each in (without, mixed):
        copied = deidentified({table: each})[table]
        local = told["start"].dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
        moved = (local - copied["start"]).unique()
        assert (moved.null_count(), len(moved)) == (0, 1)
        assert not {"offset_start", "offset_end", "zone"} & set(copied.columns)


def test_a_night_of_no_zone_at_all_keeps_its_distances(study: Study) -> None:
    """Where neither offset nor zone is known the instant stands as UTC tells it, and is not lost."""
    told = tables_of(study)[0]["nights"].with_columns(offset_start=pl.lit(None, pl.Int16), zone=pl.lit(None, pl.String))
    copied = deidentified({"nights": told})["nights"]
    assert copied["start"].null_count() == 0
    assert (copied["end"] - copied["start"]).equals(told["end"] - told["start"])
    assert copied["start"].dt.time().equals(told["start"].dt.time())
