"""Recognise the export.xml of Apple Health under any name, and read the sleep in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Final

import polars as pl

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.ledger import Ledger, counted
from nof1.connect.reading import Member
from nof1.errors import DataError
from nof1_connectors.apple.cutting import cut_samples
from nof1_connectors.apple.samples import IN_BED, Sample, parse_sample
from nof1_connectors.apple.sessions import (
    bed_without_sleep,
    distinct,
    group_sessions,
    make_apple_session,
    record_id,
    table_of,
    with_products,
    with_time_in_bed,
)
from nof1_connectors.apple.sources import HIDDEN

MAX_SAMPLES: Final = 1_000_000
"""The most sleep samples that are read; ten years of a watch and three apps are half of it."""

_ROOT: Final = re.compile(rb"<!DOCTYPE\s+HealthData\b|<HealthData[\s>]")


class AppleHealthConnector:
    """The export of the Health app, which holds what every app and device wrote into it."""

    name: ClassVar[str] = "apple"
    version: ClassVar[str] = "2"
    about: ClassVar[About] = About(
        title="Apple Health",
        staging=("stages", "sleep_wake"),
        latency=("in_bed",),
        latency_note="only on nights with a mark of time in bed, which may be the phone's sleep schedule and not "
        "you lying down",
        zone="some",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="export",
            evidence="the records of Apple Health (HealthData)",
            kind="xml",
            matches=lambda head: _ROOT.search(head.content) is not None,
            named=re.compile(r"(^|/)apple_health_export/export\.xml$"),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every sleep sample, and make sessions of what each source wrote.

        Raises
        ------
        nof1.errors.DataError
            A file was cut short, or holds more samples than a person can have.
        """
        ledger = Ledger(self.name, options)
        unreadable: list[tuple[str, str]] = []
        samples = with_products(table_of(_read_samples(found["export"], unreadable)))
        known = distinct(samples)
        sessions = group_sessions(known)
        for record, reason in unreadable:
            ledger.reject(record, reason)
        _add_sessions(ledger, with_time_in_bed(sessions.filter("slept"), known), options)
        for row in sessions.filter(~pl.col("slept")).iter_rows(named=True):
            ledger.reject(_called(row), "it holds no stage of sleep")
        for row in bed_without_sleep(known).iter_rows(named=True):
            ledger.reject(f"time in bed from {_utc(row['start'])}", "no app wrote any sleep into it")
        imported = ledger.imported()
        account = _account(samples.height, known, sessions, imported, len(unreadable))
        return replace(imported, warnings=(account, *_hidden(known), *imported.warnings))


def _read_samples(members: Sequence[Member], unreadable: list[tuple[str, str]]) -> Iterator[Sample]:
    """Read samples, and take down which could not be read and why."""
    count = 0
    for member in members:
        for cut in cut_samples(member.chunks(), member.name):
            count += 1
            if count > MAX_SAMPLES:
                raise DataError(f"{member.name} holds more than {MAX_SAMPLES:,} sleep samples: no person's does.")
            try:
                yield parse_sample(cut)
            except ValueError as error:
                unreadable.append((f"{member.name}: sample at byte {cut.at:,}", str(error)))


def _add_sessions(ledger: Ledger, sessions: pl.DataFrame, options: ReadOptions) -> None:
    for row in sessions.iter_rows(named=True):
        ledger.add(_called(row), partial(make_apple_session, row, options))


def _called(row: dict[str, Any]) -> str:
    return f"{row['source']} from {_utc(row['start'])}"


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _account(read: int, known: pl.DataFrame, sessions: pl.DataFrame, imported: Imported, unreadable: int) -> str:
    """Say what became of every sample."""
    if not read + unreadable:
        return "No sleep in it: nothing has written any into the Health app."
    accepted = set(imported.sessions["record_id"])
    rows = sessions.select("source", "start", samples=pl.col("labels").list.len()).iter_rows(named=True)
    kept = sum(row["samples"] for row in rows if record_id(row) in accepted)
    in_bed = known.filter(pl.col("label") == IN_BED).height
    return (
        f"{counted(read + unreadable, 'sleep sample')} = {kept:,} in sessions + {in_bed:,} of time in bed + "
        f"{read - known.height:,} repeated + {known.height - in_bed - kept + unreadable:,} rejected."
    )


def _hidden(known: pl.DataFrame) -> Iterator[str]:
    """Say whom the names stand for that may hide a person's."""
    names = known.select(pl.col("source", "called").cast(pl.String)).unique().sort("source", "called")
    for source, called in names.iter_rows():
        if source.startswith(HIDDEN):
            yield f"{source} stands for {called!r}: nof1 does not know it, and it may be a person's name."
