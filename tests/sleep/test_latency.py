"""Latency counts from one declared lights-out, and is missing where that is missing."""

from datetime import timedelta

import pytest

from nof1.errors import DataError
from nof1.sleep.assembly import assemble_nights

FULL = [("wake", 12), ("light", 6), ("wake", 3), ("light", 200), ("deep", 100), ("rem", 120), ("wake", 9)]
AWAKE = [("wake", 240)]
NEEDS_LIGHTS_OUT = ["tib_min", "sol_min", "lps_min", "terminal_wake_min", "se_pct", "lights_out"]


def _night(sessions, **options):
    return assemble_nights(sessions, **options).row(0, named=True)


def test_stages(session, table):
    """The start of the recording is lights-out when the trial declares `stages`."""
    night = _night(table(session("2026-05-12 23:00", FULL)), latency_source="stages")
    assert (night["sol_min"], night["lps_min"], night["sol_source"]) == (12, 21, "stages")
    assert (night["tib_min"], night["terminal_wake_min"]) == (450, 9)
    assert night["se_pct"] == pytest.approx(100 * 426 / 450)


def test_in_bed(session, table):
    """The vendor's mark of going to bed is lights-out when the trial declares `in_bed`."""
    row = session("2026-05-12 23:00", FULL)
    row |= {"in_bed": row["start"] - timedelta(minutes=20), "in_bed_source": "tap"}
    night = _night(table(row), latency_source="in_bed")
    assert (night["sol_min"], night["tib_min"], night["sol_source"]) == (32, 470, "in_bed")


def test_vendor(session, table):
    """The vendor's own latency is the latency when the trial declares `vendor`, whatever the recording began with."""
    row = session("2026-05-12 23:00", FULL, vendor_sol_s=450.0)
    night = _night(table(row), latency_source="vendor")
    assert (night["sol_min"], night["sol_source"]) == (7.5, "vendor")
    assert night["tib_min"] == 7.5 + 450 - 12


def test_vendor_latency_is_that_of_the_onset(session, table):
    """Of several sessions in one sleep the one in which sleep came tells the vendor's latency."""
    rows = (
        session("2026-05-12 23:00", [("wake", 30)], vendor_sol_s=999.0),
        session("2026-05-12 23:40", FULL, vendor_sol_s=600.0),
    )
    assert _night(table(*rows), latency_source="vendor")["sol_min"] == 10


def test_diary(session, table, diary):
    """The logged lights-out counts when the trial declares `diary`, for the night of that evening."""
    rows = session("2026-05-12 23:00", FULL), session("2026-05-13 23:00", FULL)
    logged = diary(("2026-05-13", "2026-05-13 22:45"))
    nights = assemble_nights(table(*rows), latency_source="diary", lights_out=logged)
    assert nights["sol_min"].to_list() == [None, 27]
    assert nights["sol_source"].to_list() == ["none", "diary"]
    assert nights["flags"].to_list() == [["no_lights_out"], []]


@pytest.mark.parametrize("source", ["diary", "in_bed", "vendor", "none"])
def test_sources_are_never_mixed(session, table, source):
    """A night without the declared source has no latency, though another source could give one; its sleep stays."""
    night = _night(table(session("2026-05-12 23:00", FULL)), latency_source=source)
    assert [night[name] for name in NEEDS_LIGHTS_OUT] == [None] * len(NEEDS_LIGHTS_OUT)
    assert (night["tst_min"], night["spt_min"], night["waso_min"], night["deep_min"]) == (426, 429, 3, 100)
    assert (night["sol_source"], night["flags"]) == ("none", ["no_lights_out"])


@pytest.mark.parametrize(
    ("lights_out", "expected"),
    [
        ("2026-05-12 23:12:00", (0, [])),
        ("2026-05-12 23:17:00", (0, [])),
        ("2026-05-12 23:17:01", (None, ["lights_out_after_onset"])),
        ("2026-05-13 09:00:00", (None, ["lights_out_after_onset"])),
        ("2026-05-12 11:12:00", (720, [])),
        ("2026-05-12 11:11:59", (None, ["lights_out_too_early"])),
    ],
)
def test_diary_beside_the_detected_onset(session, table, diary, lights_out, expected):
    """Lights-out up to 5 minutes after onset is "at once"; later, or over 12 hours before it, is a slip of the pen."""
    logged = diary(("2026-05-12", lights_out))
    night = _night(table(session("2026-05-12 23:00", FULL)), latency_source="diary", lights_out=logged)
    assert (night["sol_min"], night["flags"]) == expected
    if night["sol_min"] is not None:
        assert night["sol_min"] + night["spt_min"] + night["terminal_wake_min"] == night["tib_min"]


def test_a_night_named_twice_in_the_diary(session, table, diary):
    """Two lights-out for one night are an error that names the night: nobody can choose between them."""
    logged = diary(("2026-05-12", "2026-05-12 22:45"), ("2026-05-12", "2026-05-12 22:50"))
    with pytest.raises(DataError, match=r"2 entries .*participant P01, night 2026-05-12"):
        assemble_nights(table(session("2026-05-12 23:00", FULL)), latency_source="diary", lights_out=logged)


def test_no_sleep_at_all(session, table):
    """A night awake has sleep and efficiency of zero, and no latency; how long was waited is the time in bed."""
    night = _night(table(session("2026-05-12 23:00", AWAKE)))
    assert (night["tst_min"], night["se_pct"], night["deep_min"], night["wake_min"]) == (0, 0, 0, 240)
    assert (night["tib_min"], night["sol_source"]) == (240, "stages")
    nothing = ["sol_min", "lps_min", "spt_min", "waso_min", "terminal_wake_min", "rem_latency_min", "awakenings"]
    assert [night[name] for name in nothing] == [None] * len(nothing)
    assert night["flags"] == ["short"]


def test_no_sleep_and_lights_out_after_the_recording(session, table, diary):
    """A lights-out after the end of a night awake cannot be: it is missing, and no time in bed is made of it."""
    logged = diary(("2026-05-12", "2026-05-13 03:00"))
    night = _night(table(session("2026-05-12 23:00", AWAKE)), latency_source="diary", lights_out=logged)
    assert (night["tib_min"], night["se_pct"], night["sol_source"]) == (None, None, "none")
    assert night["flags"] == ["lights_out_after_onset", "short"]


def test_negative_vendor_latency(session, table):
    """A vendor's latency below zero is missing."""
    night = _night(table(session("2026-05-12 23:00", FULL, vendor_sol_s=-60.0)), latency_source="vendor")
    assert (night["sol_min"], night["flags"]) == (None, ["no_lights_out"])


SUMS = {"wake_s": 1800, "light_s": 12000, "deep_s": 5400, "rem_s": 6000, "asleep_s": 23400}


def test_sums_without_a_hypnogram(totals, table):
    """A night of which the vendor tells only sums has those minutes, and nothing that needs a place in time."""
    night = _night(table(totals("2026-05-12 23:00", 450, SUMS, vendor_sol_s=900.0)))
    assert [night[f"{stage}_min"] for stage in ("wake", "light", "deep", "rem", "asleep", "tst")] == [
        30, 200, 90, 100, 0, 390,
    ]  # fmt: skip
    placed = [*NEEDS_LIGHTS_OUT, "spt_min", "waso_min", "rem_latency_min", "awakenings"]
    assert [night[name] for name in placed] == [None] * len(placed)
    assert (night["sol_source"], night["flags"]) == ("none", ["no_lights_out"])


def test_latency_of_sums(totals, table):
    """The vendor's latency stands for a night of sums; a mark of going to bed gives its time in bed but no latency."""
    row = totals("2026-05-12 23:00", 450, SUMS, vendor_sol_s=900.0)
    row |= {"in_bed": row["start"], "in_bed_source": "in_bed"}
    by_vendor, by_mark = (_night(table(row), latency_source=source) for source in ("vendor", "in_bed"))
    assert (by_vendor["sol_min"], by_vendor["sol_source"], by_vendor["flags"]) == (15, "vendor", [])
    assert (by_mark["sol_min"], by_mark["sol_source"], by_mark["tib_min"]) == (None, "none", 450)
    assert by_mark["se_pct"] == pytest.approx(100 * 390 / 450)


def test_sums_that_say_little(totals, table):
    """Sums without stages are unstaged sleep; sums without any sleep leave the night's sleep unknown."""
    asleep = _night(table(totals("2026-05-12 23:00", 450, {"asleep_s": 23400})))
    assert (asleep["tst_min"], asleep["asleep_min"], asleep["deep_min"]) == (390, 390, None)
    assert "unstaged" in asleep["flags"]
    silent = _night(table(totals("2026-05-12 23:00", 450, {"wake_s": 1800})))
    assert (silent["tst_min"], silent["wake_min"], silent["deep_min"]) == (None, 30, None)


def test_sums_that_overlap(totals, session, table):
    """Sums cannot be resolved by instant: where they overlap another session, the longest session speaks alone."""
    rows = (
        totals("2026-05-12 22:00", 300, {"asleep_s": 17000}),
        session("2026-05-12 23:00", [("light", 200), ("deep", 200)]),
    )
    night = _night(table(*rows))
    assert (night["tst_min"], night["deep_min"], night["flags"]) == (400, 200, ["overlap"])


def test_a_recording_that_starts_at_onset_has_no_latency(session, table):
    """Where the source begins its recordings with sleep itself, their start is not lights-out: latency is missing."""
    row = session("2026-05-12 23:00", FULL, flags=["starts_at_onset"])
    night = _night(table(row), latency_source="stages")
    assert [night[name] for name in NEEDS_LIGHTS_OUT] == [None] * len(NEEDS_LIGHTS_OUT)
    assert (night["tst_min"], night["sol_source"], night["flags"]) == (
        426,
        "none",
        ["no_lights_out", "starts_at_onset"],
    )


def test_other_sources_still_tell_the_latency_of_such_a_recording(session, table, diary):
    """A recording that starts at onset can have its latency from the diary, the vendor, or a mark of going to bed."""
    row = session("2026-05-12 23:00", FULL, flags=["starts_at_onset"], vendor_sol_s=600.0)
    row |= {"in_bed": row["start"] - timedelta(minutes=20), "in_bed_source": "in_bed"}
    logged = diary(("2026-05-12", "2026-05-12 22:45"))
    found = {
        source: _night(table(row), latency_source=source, lights_out=logged)["sol_min"]
        for source in ("diary", "vendor", "in_bed")
    }
    assert found == {"diary": 27, "vendor": 10, "in_bed": 32}
