"""Apple Health: what becomes of samples, one quirk at a time."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError
from nof1.sleep.assembly import assemble_nights
from nof1_connectors.apple.cutting import MAX_SAMPLE_BYTES, SLEEP_TYPE, cut_samples
from nof1_connectors.apple.sources import plain, source_of

EXPORTS = Path(__file__).parent / "exports"
EVENING = datetime(2025, 1, 10, 22, tzinfo=UTC)
OPTIONS = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="participant")

type ReadSamples = Callable[..., Imported]


def sample(label: str, begins: float, ends: float, source: str = "Apple Watch", children: str = "", **more: str) -> str:
    """One sample; times in minutes after the evening's 22:00 UTC."""
    told = {"type": SLEEP_TYPE.decode(), "sourceName": source, "startDate": said(begins), "endDate": said(ends)}
    attributes = " ".join(f'{name}="{value}"' for name, value in (told | {"value": label} | more).items())
    return f"<Record {attributes}>{children}</Record>\n" if children else f"<Record {attributes}/>\n"


def said(minutes: float) -> str:
    """A time as Apple writes it."""
    return f"{EVENING + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S} +0000"


def document(samples: Iterable[str]) -> str:
    """A whole file."""
    return f'<?xml version="1.0"?>\n<HealthData locale="en_GB">\n{"".join(samples)}</HealthData>\n'


def told(sessions: pl.DataFrame) -> list[tuple[str, list[str]]]:
    """Streams and hypnograms in few words, in minutes."""
    return [
        (stream, [f"{piece['start_s'] / 60:g}+{piece['seconds'] / 60:g} {piece['stage']}" for piece in pieces])
        for stream, pieces in sessions.select("stream", "hypnogram").iter_rows()
    ]


@pytest.fixture(scope="session")
def read_samples(tmp_path_factory: pytest.TempPathFactory) -> ReadSamples:
    """Write samples into an export.xml, and read it."""

    def read(*samples: str, options: ReadOptions = OPTIONS) -> Imported:
        path = tmp_path_factory.mktemp("apple") / "export.xml"
        path.write_text(document(samples))
        (claim,) = recognise(Export(path), "apple")
        return claim.read(options)

    return read


# A whole export


def test_a_night_of_watch_and_phone() -> None:
    """Every column of one night: a broken DTD, entities, a nested copy, any order of attributes, the phone's InBed."""
    (claim,) = recognise(Export(EXPORTS / "watch_and_phone.xml"), "apple")
    imported = claim.read(OPTIONS)
    (row,) = imported.sessions.iter_rows(named=True)
    assert [tuple(piece.values()) for piece in row.pop("hypnogram")] == [
        (0, 2400, "light", "AsleepCore"),
        (2400, 3000, "deep", "AsleepDeep"),
        (5400, 270, "wake", "Awake"),
        (5670, 23130, "rem", "AsleepREM"),
    ]
    assert len(row.pop("record_id")) == 16
    assert row == {
        "participant": "P07",
        "source": "apple",
        "stream": "apple/Apple Watch",
        "device": "Watch6,2",
        "algorithm": "Apple Watch 9",
        "start": datetime(2024, 7, 1, 22, 30, tzinfo=UTC),
        "end": datetime(2024, 7, 2, 6, 30, tzinfo=UTC),
        "offset_start": 60,
        "offset_end": 60,
        "zone": "Europe/London",
        "zone_source": "record",
        "kind": "unknown",
        "staging": "stages",
        "totals": None,
        "in_bed": datetime(2024, 7, 1, 22, 5, tzinfo=UTC),
        "in_bed_source": "in_bed",
        "vendor_sol_s": None,
        "updated": datetime(2024, 7, 2, 6, 31, tzinfo=UTC),
        "flags": ["starts_at_onset"],
    }
    assert [(one.record, one.reason) for one in imported.rejected] == [
        ("time in bed from 2024-07-03 22:05 UTC", "no app wrote any sleep into it")
    ]
    hidden = source_of("Robin's phone &lol2;")
    assert imported.warnings == (
        "7 sleep samples = 4 in sessions + 2 of time in bed + 1 repeated + 0 rejected.",
        f"{hidden} stands for \"Robin's phone &lol2;\": nof1 does not know it, and it may be a person's name.",
        f"1 session with time in bed told by {hidden} (first: Apple Watch from 2024-07-01 22:30 UTC).",
    )


# Sessions


def test_a_pause_of_an_hour_divides_and_a_shorter_one_is_unscored(read_samples: ReadSamples) -> None:
    """59 minutes without samples lie inside a session, and nothing is said of them; 60 minutes make two sessions."""
    sessions = read_samples(
        sample("AsleepCore", 0, 60), sample("AsleepCore", 119, 180), sample("AsleepCore", 240, 300)
    ).sessions
    assert told(sessions) == [
        ("apple/Apple Watch", ["0+60 light", "119+61 light"]),
        ("apple/Apple Watch", ["0+60 light"]),
    ]
    assert sessions["flags"][0].to_list() == ["incomplete", "starts_at_onset"]


def test_every_source_is_a_stream(read_samples: ReadSamples) -> None:
    """What two apps write of one night is never added: each has a session of its own."""
    sessions = read_samples(sample("AsleepDeep", 0, 300), sample("AsleepDeep", 10, 310, "Oura")).sessions
    assert told(sessions) == [("apple/Apple Watch", ["0+300 deep"]), ("apple/Oura", ["0+300 deep"])]


def test_overlaps_inside_a_source_are_resolved_by_instant(read_samples: ReadSamples) -> None:
    """A stage counts before plain sleep, and that before wake; nothing is counted twice."""
    night = [sample("AsleepUnspecified", 0, 300), sample("AsleepREM", 100, 150), sample("Awake", 290, 320)]
    assert told(read_samples(*night).sessions) == [
        ("apple/Apple Watch", ["0+100 asleep", "100+50 rem", "150+150 asleep", "300+20 wake"])
    ]


def test_samples_written_again_count_once(read_samples: ReadSamples) -> None:
    """An app that writes its samples twice, at another time and in any order, changes no session; they are counted."""
    once = [sample("AsleepCore", 0, 60, creationDate=said(500)), sample("AsleepDeep", 60, 90)]
    again = sample("AsleepCore", 0, 60, creationDate=said(600), children='<MetadataEntry key="a" value="b"/>')
    one, two = read_samples(*once, again), read_samples(again, *reversed(once))
    assert one.sessions.equals(two.sessions)
    assert (one.read, one.sessions.height) == (1, 1)
    assert "2 in sessions + 0 of time in bed + 1 repeated" in one.warnings[0]


def test_a_night_exported_too_early_keeps_its_id(read_samples: ReadSamples) -> None:
    """Two exports, the first of which breaks off in the night, give one session; the later one stands by its date."""
    early = read_samples(sample("AsleepCore", 0, 60, creationDate=said(70))).sessions
    late = read_samples(
        sample("AsleepCore", 0, 60, creationDate=said(70)), sample("AsleepDeep", 60, 400, creationDate=said(410))
    ).sessions
    assert early["record_id"].to_list() == late["record_id"].to_list()
    assert early["updated"][0] < late["updated"][0]


def test_wake_alone_is_no_night(read_samples: ReadSamples) -> None:
    """A source that wrote only wake has no session: it would be a night without any deep sleep."""
    imported = read_samples(sample("Awake", 0, 30), sample("AsleepCore", 200, 500))
    assert told(imported.sessions) == [("apple/Apple Watch", ["0+300 light"])]
    assert [one.reason for one in imported.rejected] == ["it holds no stage of sleep"]
    assert imported.warnings[0].startswith("2 sleep samples = 1 in sessions + 0 of time in bed + 0 repeated + 1")


@pytest.mark.parametrize(
    ("label", "stage"),
    [
        ("HKCategoryValueSleepAnalysisAsleep", "asleep"),
        ("HKCategoryValueSleepAnalysisAsleepUnspecified", "asleep"),
        ("1", "asleep"),
        ("4", "deep"),
        ("AsleepREM", "rem"),
        ("asleepcore", "light"),
    ],
)
def test_values_of_all_times(read_samples: ReadSamples, label: str, stage: str) -> None:
    """Values of iOS 15 and before, numbers, and words without their prefix mean what they always meant."""
    assert told(read_samples(sample(label, 0, 60)).sessions) == [("apple/Apple Watch", [f"0+60 {stage}"])]


def test_a_value_that_nobody_knows_is_kept_unscored(read_samples: ReadSamples) -> None:
    """A stage of a future iOS does not cost the night: that time is unscored, and the person hears of it."""
    imported = read_samples(sample("AsleepCore", 0, 60), sample("HKCategoryValueSleepAnalysisAsleepDozing", 60, 90))
    assert told(imported.sessions) == [("apple/Apple Watch", ["0+60 light", "60+30 unscored"])]
    assert "unknown label 'AsleepDozing'" in imported.warnings[1]


def test_what_a_person_typed_in_says_so(read_samples: ReadSamples) -> None:
    """A session with samples that were entered by hand is flagged."""
    entered = '<MetadataEntry key="HKWasUserEntered" value="1"/>'
    sessions = read_samples(sample("AsleepUnspecified", 0, 400, "Health", children=entered)).sessions
    assert sessions["flags"].to_list() == [["manual", "starts_at_onset"]]


# Latency


def latency(imported: Imported, source: str = "in_bed") -> float | None:
    """The latency of the only night of the watch."""
    watch = imported.sessions.filter(pl.col("stream") == "apple/Apple Watch")
    (minutes,) = assemble_nights(watch, latency_source=source)["sol_min"]
    return None if minutes is None else float(minutes)


def test_without_a_mark_latency_is_missing(read_samples: ReadSamples) -> None:
    """No InBed, no latency: not zero, and not from wake at the beginning of the samples either."""
    imported = read_samples(sample("Awake", 0, 20), sample("AsleepCore", 20, 400))
    assert [latency(imported, source) for source in ("in_bed", "stages", "vendor")] == [None, None, None]


@pytest.mark.parametrize(("pause", "minutes"), [(4, 60), (30, 15)])
def test_a_glance_at_the_phone_is_no_new_night(read_samples: ReadSamples, pause: float, minutes: float) -> None:
    """Marks with a pause of four minutes are one; after half an hour up, the second says when sleep was sought."""
    marks = [sample("InBed", 0, 45 - pause, "iPhone"), sample("InBed", 45, 480, "iPhone")]
    assert latency(read_samples(*marks, sample("AsleepCore", 60, 470))) == minutes


def test_a_sources_own_mark_comes_first(read_samples: ReadSamples) -> None:
    """Each source keeps its own bedtime; who has none takes the earliest of the others, and the person hears whose."""
    imported = read_samples(
        sample("InBed", 0, 480, "iPhone"),
        sample("InBed", 30, 480, "Oura"),
        sample("AsleepCore", 60, 470, "Oura"),
        sample("AsleepCore", 65, 470),
    )
    marks = {
        stream: (mark - EVENING).seconds / 60 for stream, mark in imported.sessions["stream", "in_bed"].iter_rows()
    }
    assert marks == {"apple/Oura": 30, "apple/Apple Watch": 0}
    assert imported.warnings[1].startswith("1 session with time in bed told by iPhone (first: Apple Watch")


def test_the_second_half_of_a_night_has_no_bedtime(read_samples: ReadSamples) -> None:
    """After two hours up, the mark of the evening does not make a latency of five hours."""
    imported = read_samples(
        sample("InBed", 0, 600, "iPhone"), sample("AsleepCore", 20, 180), sample("AsleepCore", 300, 590)
    )
    assert imported.sessions["in_bed"].to_list() == [EVENING, None]
    assert latency(imported) is None


def test_the_iphone_alone_tells_no_sleep(read_samples: ReadSamples) -> None:
    """Nights of time in bed are rejected one by one, joined over glances, and none becomes a session."""
    imported = read_samples(*(sample("InBed", at, at + 50, "iPhone") for at in (0, 51, 1440)))
    assert imported.sessions.is_empty()
    assert [one.record for one in imported.rejected] == [
        "time in bed from 2025-01-10 22:00 UTC",
        "time in bed from 2025-01-11 22:00 UTC",
    ]


def test_time_in_bed_beside_sleep_is_not_rejected(read_samples: ReadSamples) -> None:
    """One long sample of sleep answers for both parts of a divided time in bed."""
    marks = [sample("InBed", 0, 100, "iPhone"), sample("InBed", 130, 480, "iPhone")]
    imported = read_samples(*marks, sample("Asleep", 20, 470))
    assert (imported.read, imported.rejected) == (1, ())
    assert latency(imported) == 20


# Zones and names


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("America/New_York", ("America/New_York", "record", -300)),
        ("Mars/Olympus", ("Europe/Berlin", "participant", 60)),
        ("../../etc/passwd", ("Europe/Berlin", "participant", 60)),
        ("", ("Europe/Berlin", "participant", 60)),
    ],
)
def test_the_zone_is_the_samples_or_the_participants(
    read_samples: ReadSamples, named: str, expected: tuple[str, str, int]
) -> None:
    """HKTimeZone tells the clock on the wall; where it is missing or nonsense the home zone does, never the offset."""
    zone = f'<MetadataEntry value="{named}" key="HKTimeZone"/>'
    sessions = read_samples(sample("AsleepCore", 0, 300), sample("AsleepREM", 300, 310, children=zone)).sessions
    assert sessions.select("zone", "zone_source", "offset_start").row(0) == expected
    assert sessions["start"][0] == EVENING


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("Sebastian – Apple\u00a0Watch", "Apple Watch"),
        ("Apple Watch von Zoë", "Apple Watch"),
        ("iPhone de Marie", "iPhone"),
        ("oura", "Oura"),
        ("Sleep  Cycle\u200b", "Sleep Cycle"),
    ],
)
def test_a_source_is_named_without_its_owner(written: str, source: str) -> None:
    """The product stands for the device of a person, in every language and with every kind of space; apps by name."""
    assert source_of(plain(written.encode())) == source


def test_no_persons_name_is_kept(read_samples: ReadSamples) -> None:
    """A device with a name of its own is called by a hash, the same in every export; nothing stored says the name."""
    first, second = (
        read_samples(sample("AsleepCore", 0, 400, name), sample("InBed", 0, 400, name)).sessions
        for name in ("Rosalind’s pebble", "Rosalind's\u00a0pebble")
    )
    assert first.equals(second)
    assert first["stream"][0].startswith("apple/source-")
    assert "osalind" not in str(first.to_dicts())


WATCH = "&lt;&lt;HKDevice: 0x28&gt;, name:{}, manufacturer:Apple Inc., model:Watch, hardware:{}, software:9.1&gt;"


def renamed(name: str, *, begins: float = 0, hardware: str = "Watch6,2", version: str = "9.1", **more: str) -> str:
    """A sample of a device with a name of its own."""
    device = WATCH.format(name, hardware)
    return sample("AsleepCore", begins, begins + 400, name, device=device, sourceVersion=version, **more)


def test_a_renamed_watch_is_the_same_watch(read_samples: ReadSamples) -> None:
    """The attribute `device` says what it is: two names of one watch are one stream, its sessions keep their ids."""
    ann, of_ann = "Ann’s\u00a0Watch", "Watch of Ann"
    before = read_samples(renamed(ann)).sessions
    after = read_samples(renamed(of_ann), renamed(of_ann, begins=1440)).sessions
    assert set(before["stream"]) | set(after["stream"]) == {"apple/Apple Watch"}
    assert after["record_id"][0] == before["record_id"][0]
    assert after["device"].to_list() == ["Watch6,2"] * 2


def test_samples_without_a_device_follow_their_name(read_samples: ReadSamples) -> None:
    """Where some samples of a name tell the watch, all samples of that name are the watch's."""
    imported = read_samples(renamed("Ann"), sample("AsleepDeep", 1440, 1800, "Ann"), sample("AsleepREM", 0, 90, "Bea"))
    assert sorted(imported.sessions["stream"]) == [
        "apple/Apple Watch",
        "apple/Apple Watch",
        f"apple/{source_of('Bea')}",
    ]


def test_another_watch_is_the_same_stream_and_named(read_samples: ReadSamples) -> None:
    """A newer watch stays in the stream, and its model is kept, so that the night of the change is flagged."""
    sessions = read_samples(renamed("Ann"), renamed("Ann", begins=1440, hardware="Watch7,1")).sessions
    assert sessions["stream"].n_unique() == 1
    nights = assemble_nights(sessions)
    assert [("device_changed" in flags) for flags in nights["flags"]] == [False, True]


@pytest.mark.parametrize(
    ("version", "hardware", "stream"),
    [
        ("50", "Watch6,2", "apple/source-"),
        ("9.1", "Band1,1", "apple/source-"),
        ("9.1", "iPhone9,4", "apple/iPhone"),
        ("9.1", "Watch6,2", "apple/Apple Watch"),
    ],
)
def test_an_app_on_the_watch_is_not_the_watch(
    read_samples: ReadSamples, version: str, hardware: str, stream: str
) -> None:
    """An app writes with its own version, the watch with that of its system: only the latter is the watch's sleep."""
    (told_stream,) = read_samples(renamed("Slumber", version=version, hardware=hardware)).sessions["stream"]
    assert told_stream.startswith(stream)


# Damage


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (sample("AsleepCore", 60, 60), "lasts no time"),
        (sample("AsleepCore", 60, 30), "ends before it starts"),
        (sample("AsleepCore", 60, 60 + 25 * 60), "longer than a day"),
        (sample("", 60, 90), "it says no value"),
        (sample("A stage", 60, 90), "not a stage"),
        (sample("AsleepCore", 60, 90, startDate="yesterday"), "'yesterday' is not a time"),
        (sample("AsleepCore", 60, 90, startDate="1825-01-01 00:00:00 +0000"), "not a time of this century"),
        (sample("AsleepCore", 60, 90).replace("/>", ' value="Awake"/>'), "it says value twice"),
        (sample("AsleepCore", 60, 90).replace('"', "'"), "damaged"),
        (sample("AsleepCore", 60, 90).replace("/>", ">"), "damaged"),
        (sample("AsleepCore", 60, 90).replace("startDate", "broken"), "it says no startDate"),
        (sample("AsleepCore", 60, 90, unit="x" * MAX_SAMPLE_BYTES), "damaged"),
        (sample("AsleepCore", 60, 90).replace("<Record", f'<Record unit="{"x" * MAX_SAMPLE_BYTES}"'), "damaged"),
    ],
)
def test_a_sample_that_cannot_be_read_is_rejected_alone(read_samples: ReadSamples, bad: str, reason: str) -> None:
    """It is named by its place in the file, with the reason, and counted; the samples around it make their session."""
    imported = read_samples(sample("AsleepCore", 0, 30), bad, sample("AsleepDeep", 30, 60))
    assert told(imported.sessions) == [("apple/Apple Watch", ["0+30 light", "30+30 deep"])]
    (refused,) = imported.rejected
    assert refused.record.startswith("export.xml: sample at byte ")
    assert reason in refused.reason
    assert imported.warnings[0].startswith("3 sleep samples = 2 in sessions + 0 of time in bed + 0 repeated + 1")


def test_the_type_elsewhere_is_no_sample(read_samples: ReadSamples) -> None:
    """Other records, elements and texts that mention sleep analysis are no sleep."""
    name = SLEEP_TYPE.decode()
    imported = read_samples(
        f'<Record type="Mindful" sourceName="{name}" startDate="{said(0)}"/>\n',
        f'<Record type="Mindful">\n <MetadataEntry key="type" value="{name}"/>\n</Record>\n',
        f'<Correlation type="{name}"/>{name}',
        sample("AsleepCore", 0, 60),
    )
    assert (imported.read, imported.sessions.height) == (1, 1)


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_file_cut_short_is_refused_whole(tmp_path: Path, kept: float) -> None:
    """A file that lacks its end lacks nights that nobody can count."""
    text = document(sample("AsleepCore", 1440 * night, 1440 * night + 300) for night in range(9))
    (tmp_path / "export.xml").write_text(text[: int(kept * len(text))])
    (claim,) = recognise(Export(tmp_path), "apple")
    with pytest.raises(DataError, match="cut short"):
        claim.read(OPTIONS)


def test_an_export_without_sleep_says_so(read_samples: ReadSamples) -> None:
    """No samples are no error, and not nothing."""
    imported = read_samples('<Record type="HKQuantityTypeIdentifierHeight" value="1.7"/>')
    assert (imported.read, imported.warnings) == (0, ("No sleep in it: nothing has written any into the Health app.",))


def divided(content: bytes, lengths: list[int]) -> Iterator[bytes]:
    """Divide a file into pieces of these lengths, over and over."""
    at = 0
    for length in cycle(lengths):
        yield content[at : at + length]
        at += length
        if at >= len(content):
            return


@given(lengths=st.lists(st.integers(1, 900), min_size=1, max_size=6), spaces=st.integers(0, 2 * MAX_SAMPLE_BYTES))
def test_no_border_between_pieces_costs_a_sample(lengths: list[int], spaces: int) -> None:
    """However the stream is cut into pieces, the same samples are found at the same bytes."""
    zone = '<MetadataEntry key="HKTimeZone" value="Europe/Berlin"/>'
    other = '<Record type="HeartRate" sourceName="HKCategoryTypeIdentifierSleepAnalysis" value="60"/>' * 20
    broken = sample("Awake", 1, 2).replace("endDate", '"endDate')
    samples = [
        sample("AsleepCore", 0, 30, children=zone), other, broken, " " * spaces, sample("Awake", 30, 60), other
    ]  # fmt: skip
    content = document(samples).encode()
    found = list(cut_samples(divided(content, lengths), "x"))
    assert found == list(cut_samples([content], "x"))
    assert [cut.attributes is None for cut in found] == [False, True, False]
    assert all(content[cut.at :].startswith(b"<Record type=") for cut in found)
