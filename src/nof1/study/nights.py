"""The nights of one participant, as the study holds them."""

from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Final

import dataframely as dy
import polars as pl

from nof1.errors import InputMissingError
from nof1.sleep.assembly import assemble_nights
from nof1.sleep.hypnogram import draw
from nof1.sleep.nights import NIGHT_FLAGS, SCHEMA, Nights
from nof1.sleep.session import KEY, SESSION_FLAGS
from nof1.sleep.sleeps import place_sessions
from nof1.store.events import Record
from nof1.store.sessions import scan_sessions
from nof1.store.state import ChosenStream, admitted_files, chosen_stream
from nof1.study.diaries import read_diary
from nof1.study.study import Participant, Study
from nof1.study.trials import read_trial
from nof1.trial.diary import lights_out_table
from nof1.trial.protocol import SleepRules

RULES_WITHOUT_PROTOCOL: Final = SleepRules()


def read_nights(study: Study, *, participant: str | None = None) -> dy.DataFrame[Nights]:
    """One row a night, by the rules of the registered protocol (or the defaults, before there is one).

    Raises
    ------
    InputMissingError
        Nothing was imported yet.
    """
    with study.record() as record:
        person = study.participant(record, participant)
        rules = sleep_rules(study, record, person)
        stream = stream_in_use(record, person)
        source = latency_source(stream, rules)
        diary = read_diary(record, person)
    sessions = read_sessions(study, participant=participant)
    return assemble_nights(
        sessions,
        merge_gap_min=rules.merge_gap_min,
        night_boundary_h=rules.night_boundary_h,
        latency_source=source,
        lights_out=lights_out_table(diary, person.code) if source == "diary" else None,
    )


def recorded_nights(study: Study, *, participant: str | None = None) -> pl.DataFrame:
    """The nights as `read_nights` gives them; no row where nothing was imported yet."""
    try:
        return read_nights(study, participant=participant)
    except InputMissingError:
        return pl.DataFrame(schema=SCHEMA)


def stream_in_use(record: Record, person: Participant) -> ChosenStream:
    """The stream that the participant's nights come from.

    Raises
    ------
    InputMissingError
        Nothing was imported yet.
    """
    chosen = chosen_stream(record, person.code)
    if chosen is None:
        raise InputMissingError(f"No sleep was imported for {person.code} yet. Next: nof1 import YOUR-EXPORT.")
    return chosen


def read_sessions(study: Study, *, participant: str | None = None) -> pl.DataFrame:
    """The sessions of the one stream that the participant's nights come from; columns as in `Sessions`.

    Raises
    ------
    InputMissingError
        Nothing was imported yet.
    """
    with study.record() as record:
        return _sessions(study, record, study.participant(record, participant))


def _sessions(study: Study, record: Record, person: Participant) -> pl.DataFrame:
    stream, files = stream_in_use(record, person), admitted_files(record, person.code)
    return scan_sessions(study.folder, files).filter(pl.col("stream") == stream.stream).collect()


def latency_source(stream: ChosenStream, rules: SleepRules) -> str:
    """Where lights-out comes from: what the protocol declares, or else the best that the stream offered when chosen."""
    return stream.latency_source if rules.latency_source == "best" else rules.latency_source


def sleep_rules(study: Study, record: Record, person: Participant) -> SleepRules:
    """The rules of the registered protocol; the defaults before there is one."""
    if not record.events("started_trial", participant=person.code):
        return RULES_WITHOUT_PROTOCOL
    return read_trial(study, record, person.code).protocol.sleep


def draw_nights(study: Study, *, participant: str | None = None, width: int = 48) -> dict[date, str]:
    """Every night as one line of `width` characters, by the evening's date.

    Raises
    ------
    InputMissingError
        Nothing was imported yet.
    """
    with study.record() as record:
        person = study.participant(record, participant)
        sessions, rules = _sessions(study, record, person), sleep_rules(study, record, person)
    placed = place_sessions(sessions, merge_gap_min=rules.merge_gap_min, night_boundary_h=rules.night_boundary_h)
    mains = placed.filter(pl.col("part") == "main").join(sessions, on=KEY).sort("start")
    segments = _laid_end_to_end(mains).iter_rows(named=True)
    drawn = {night: draw(list(own), width) for night, own in groupby(segments, key=itemgetter("night"))}
    return dict.fromkeys(mains["night"].to_list(), "") | drawn


def _laid_end_to_end(mains: pl.DataFrame) -> pl.DataFrame:
    """Give the segments of all nights in order, each night's from its own first second."""
    since_first = (pl.col("start") - pl.col("start").min().over("night")).dt.total_seconds()
    segments = mains.select("night", "hypnogram", since_first=since_first).explode("hypnogram").drop_nulls("hypnogram")
    moved = segments.unnest("hypnogram").with_columns(pl.col("start_s") + pl.col("since_first"))
    return moved.sort("night", "start_s", maintain_order=True)


def flags_in_words(nights: pl.DataFrame) -> dict[str, str]:
    """What each flag of these nights means, by its name."""
    words = {**SESSION_FLAGS, **NIGHT_FLAGS}
    return {flag: words.get(flag, flag) for flag in nights["flags"].explode().drop_nulls().unique().sort()}
