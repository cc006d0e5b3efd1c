"""What the measures mean: identities, an independent oracle, and the catalogue itself."""

import warnings
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.sleep.assembly import assemble_nights
from nof1.sleep.measures import AWAKENING_MIN, MEASURES, PERSISTENT_MIN
from nof1.sleep.nights import Nights
from nof1.sleep.stages import SLEEP

EPOCHS = st.lists(
    st.tuples(st.sampled_from(["wake", "light", "deep", "rem", "asleep", "unscored"]), st.integers(1, 5400)),
    min_size=1,
    max_size=30,
)
BEGINS = datetime(2026, 5, 12, 23, tzinfo=UTC)


def _session_of(session, epochs, **other):
    return session(BEGINS, [(stage, seconds / 60) for stage, seconds in epochs], **other)


@given(EPOCHS)
def test_identities(session, table, epochs):
    """Latency, sleep period and last wake are the time in bed; sleep, wake and unscored time are the sleep period."""
    night = assemble_nights(table(_session_of(session, epochs))).row(0, named=True)
    scored = [stage for stage, _ in epochs if stage != "unscored"]
    if not scored:
        assert night["tst_min"] is None
        return
    asleep = [number for number, (stage, _) in enumerate(epochs) if stage in SLEEP]
    assert night["tst_min"] == pytest.approx(sum(epochs[number][1] for number in asleep) / 60)
    if not asleep:
        assert (night["tst_min"], night["se_pct"], night["sol_min"]) == (0, 0, None)
        return
    inside = epochs[asleep[0] : asleep[-1] + 1]
    unscored = sum(seconds for stage, seconds in inside if stage == "unscored") / 60
    stages = [night[f"{stage}_min"] for stage in SLEEP]
    assert night["sol_min"] + night["spt_min"] + night["terminal_wake_min"] == pytest.approx(night["tib_min"])
    assert night["tst_min"] + night["waso_min"] + unscored == pytest.approx(night["spt_min"])
    assert sum(minutes or 0 for minutes in stages) == pytest.approx(night["tst_min"])
    assert night["se_pct"] == pytest.approx(100 * night["tst_min"] / night["tib_min"])


@given(EPOCHS, st.data())
def test_splitting_an_epoch_changes_nothing(session, table, epochs, data):
    """An epoch written as two, or a recording cut into two sessions, is the same night."""
    cut = data.draw(st.integers(0, len(epochs) - 1))
    stage, seconds = epochs[cut]
    first = data.draw(st.integers(0, seconds))
    pieces = [(stage, piece) for piece in (first, seconds - first) if piece]
    split = [*epochs[:cut], *pieces, *epochs[cut + 1 :]]
    whole = assemble_nights(table(_session_of(session, epochs)))
    assert assemble_nights(table(_session_of(session, split))).equals(whole)
    before, after = [*epochs[:cut], *pieces[:1]], [*pieces[1:], *epochs[cut + 1 :]]
    if after:
        later = _session_of(session, after) | {"record_id": "later"}
        elapsed = timedelta(seconds=sum(seconds for _, seconds in before))
        later |= {"start": later["start"] + elapsed, "end": later["end"] + elapsed}
        sessions = assemble_nights(table(_session_of(session, before), later))
        assert sessions.select(pl.exclude("flags")).equals(whole.select(pl.exclude("flags")))


def _random_hypnograms(count):
    """Make hypnograms of 30 s epochs in yasa's codes (0 wake, 1 and 2 light, 3 deep, 4 REM), all with some sleep."""
    rng = np.random.default_rng(20260512)
    for _ in range(count):
        runs = rng.integers(1, 60, size=rng.integers(3, 40))
        codes = np.repeat(rng.integers(0, 5, size=runs.size), runs)
        codes[rng.integers(codes.size)] = rng.integers(1, 5)
        yield codes


@pytest.fixture(scope="module")
def compared(session, table):
    """200 random hypnograms as yasa measures them, and as we do."""
    hypnograms = list(_random_hypnograms(200))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # yasa's imports warn, and so does its function form, which alone does not round
        from yasa import sleep_statistics

        theirs = [sleep_statistics(codes, sf_hyp=1 / 30) for codes in hypnograms]
    named = {0: "wake", 1: "light", 2: "light", 3: "deep", 4: "rem"}
    rows = [
        session(BEGINS + timedelta(days=night), [(named[int(code)], 0.5) for code in codes])
        for night, codes in enumerate(hypnograms)
    ]
    return pl.DataFrame(theirs), assemble_nights(table(*rows))


@pytest.mark.parametrize(
    ("ours", "yasa"),
    [
        ("tib_min", pl.col("TIB")),
        ("spt_min", pl.col("SPT")),
        ("waso_min", pl.col("WASO")),
        ("tst_min", pl.col("TST")),
        ("sol_min", pl.col("SOL")),
        ("se_pct", pl.col("SE")),
        ("deep_min", pl.col("N3")),
        ("rem_min", pl.col("REM")),
        ("light_min", pl.col("N1") + pl.col("N2")),
        ("rem_latency_min", pl.col("Lat_REM").fill_nan(None) - pl.col("SOL")),
        ("terminal_wake_min", pl.col("TIB") - pl.col("SOL") - pl.col("SPT")),
    ],
)
def test_yasa_agrees(compared, ours, yasa):
    """Measures equal those of yasa on 200 random hypnograms; its REM latency counts from the start of the recording."""
    theirs, nights = compared
    expected = theirs.select(yasa).to_series()
    assert nights.height == 200
    assert nights[ours].is_null().to_list() == expected.is_null().to_list()
    assert (nights[ours] - expected).abs().max() < 1e-6


def test_persistent_sleep_and_awakenings_epoch_by_epoch(compared):
    """Persistent latency and awakenings equal a count over single epochs, made without the code under test."""
    _, nights = compared
    for codes, night in zip(_random_hypnograms(200), nights.iter_rows(named=True), strict=True):
        asleep = "".join("s" if code else "w" for code in codes)
        persistent = asleep.find("s" * (PERSISTENT_MIN * 2))
        assert night["lps_min"] == (persistent / 2 if persistent >= 0 else None)
        wakes = asleep.strip("w").replace("s", " ").split()
        assert night["awakenings"] == sum(len(wake) >= AWAKENING_MIN * 2 for wake in wakes)


@pytest.mark.parametrize(("minutes", "awakenings"), [(4.5, 0), (5, 1)])
def test_awakening_of_several_segments(session, table, minutes, awakenings):
    """Wake written as several segments is one awakening, if together it lasts five minutes."""
    stages = [("light", 200), ("wake", 2), ("wake", minutes - 2), ("light", 20), ("wake", 30)]
    assert assemble_nights(table(session(BEGINS, stages)))["awakenings"].item() == awakenings


def test_unstaged_nights(session, table):
    """A night without stages has its sleep, and no deep, light or REM minutes: they are unknown, not zero."""
    stages = [("wake", 10), ("asleep", 400), ("wake", 5)]
    for staging in ("sleep_wake", "stages"):
        night = assemble_nights(table(session(BEGINS, stages, staging=staging))).row(0, named=True)
        assert (night["tst_min"], night["asleep_min"]) == (400, 400)
        assert [night[f"{stage}_min"] for stage in ("light", "deep", "rem", "rem_latency")] == [None] * 4
        assert night["flags"] == ["unstaged"]


def test_staged_night_without_deep_sleep(session, table):
    """A staged night in which no deep sleep was seen has zero deep minutes, and is not unstaged."""
    night = assemble_nights(table(session(BEGINS, [("light", 300), ("rem", 60)]))).row(0, named=True)
    assert (night["deep_min"], night["flags"]) == (0, [])


def test_catalogue_and_table_agree():
    """Every measure is a column of nights under its own name, in the unit that its name says."""
    columns = Nights.column_names()
    assert [name for name in columns if name in MEASURES] == list(MEASURES)
    for name, measure in MEASURES.items():
        assert (measure.name, measure.expression.meta.output_name()) == (name, name)
        assert measure.unit == {"min": "min", "pct": "%"}.get(name.rsplit("_", 1)[-1], "count")
    measured = {name for name in columns if name.endswith(("_min", "_pct"))} | {"awakenings"}
    assert measured - set(MEASURES) == {"nap_min"}, "naps are sleeps of their own"


def test_catalogue_says_what_is_missing_without_lights_out(session, table):
    """Exactly the measures that say they need lights-out are missing without it."""
    stages = [("wake", 10), ("light", 100), ("wake", 10), ("deep", 100), ("rem", 60)]
    night = assemble_nights(table(session(BEGINS, stages)), latency_source="none").row(0, named=True)
    assert {name for name in MEASURES if night[name] is None} == {
        name for name, measure in MEASURES.items() if measure.needs_lights_out
    }


def test_catalogue_says_what_is_missing_without_stages(session, table):
    """Exactly the measures that say they need stages are missing without them."""
    stages = [("wake", 10), ("asleep", 200), ("wake", 10), ("asleep", 100)]
    night = assemble_nights(table(session(BEGINS, stages, staging="sleep_wake"))).row(0, named=True)
    assert {name for name in MEASURES if night[name] is None} == {
        name for name, measure in MEASURES.items() if measure.needs_stages
    }
