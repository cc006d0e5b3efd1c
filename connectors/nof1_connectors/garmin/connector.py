"""Recognise Garmin's exports in any of their forms, and read all that they hold."""

import re
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger
from nof1.connect.reading import Member
from nof1.errors import DataError
from nof1_connectors.garmin import archive, connect, watch
from nof1_connectors.garmin.fit import is_sleep_file, messages
from nof1_connectors.garmin.parse import naps_of, parse_nap, records_of

MAX_FIT_BYTES: Final = 2**20
"""The largest sleep file of a watch that is read, 1 MiB; a night of one-minute samples is some tens of kilobytes."""

_NIGHTS_NAMED: Final = re.compile(r"_sleepData\.json$", re.IGNORECASE)
_WATCH_NAMED: Final = re.compile(r"(^|/)Sleep/[^/]*\.fit$", re.IGNORECASE)


def _is_archive(head: Head) -> bool:
    return head.has_keys("sleepStartTimestampGMT", "calendarDate") and not head.has_keys("dailySleepDTO")


class GarminConnector:
    """The account archive, responses of Garmin Connect, and sleep files of the watch."""

    name: ClassVar[str] = "garmin"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Garmin",
        staging=("stages", "totals"),
        latency=(),
        latency_note="its recordings begin with sleep itself",
        zone="some",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="archive",
            evidence="nights with sleepStartTimestampGMT",
            kind="json",
            matches=_is_archive,
            named=_NIGHTS_NAMED,
        ),
        Form(
            name="days",
            evidence="days with wellnessStartTimeGmt and wellnessStartTimeLocal",
            kind="json",
            matches=lambda head: head.has_keys("wellnessStartTimeGmt", "wellnessStartTimeLocal", "calendarDate"),
            alone=False,
        ),
        Form(
            name="connect",
            evidence="responses with a dailySleepDTO",
            kind="json",
            matches=lambda head: head.has_keys("dailySleepDTO"),
        ),
        Form(
            name="watch",
            evidence="a FIT file of sleep",
            kind="binary",
            matches=lambda head: is_sleep_file(head.content),
            seen=False,
            named=_WATCH_NAMED,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every form that is there, each into its own stream.

        Raises
        ------
        nof1.errors.DataError
            A member that reads like Garmin's sleep is damaged.
        """
        ledger = Ledger(self.name, options)
        _read_archive(found["archive"], found["days"], options, ledger)
        _read_connect(found["connect"], options, ledger)
        _read_watch(found["watch"], options, ledger)
        return ledger.imported()


def _read_archive(nights: Sequence[Member], days: Sequence[Member], options: ReadOptions, ledger: Ledger) -> None:
    offsets = archive.offsets_of(read_json(member) for member in days)
    for member in nights:
        for called, record in records_of(read_json(member)):
            where = f"{member.name}: {called}"
            ledger.add(where, partial(archive.parse_night, record, offsets, options))
            place = archive.place_of(record, offsets, options)
            for i, nap in enumerate(naps_of(record, "napList")):
                ledger.add(f"{where} nap {i + 1}", partial(parse_nap, nap, archive.STREAM, place))


def _read_connect(members: Sequence[Member], options: ReadOptions, ledger: Ledger) -> None:
    for member in members:
        for called, record in records_of(read_json(member)):
            where = f"{member.name}: {called}"
            ledger.add(where, partial(connect.parse_response, record, options))
            place = connect.place_of(record, options)
            for i, nap in enumerate(connect.naps_of_response(record)):
                ledger.add(f"{where} nap {i + 1}", partial(parse_nap, nap, connect.STREAM, place))


def _read_watch(members: Sequence[Member], options: ReadOptions, ledger: Ledger) -> None:
    for member in members:
        try:
            sleeps = watch.sleeps_of(messages(member.read(MAX_FIT_BYTES)))
        except ValueError as error:
            raise DataError(f"{member.name} is damaged: {error}. Copy it from the watch again.") from error
        if not sleeps:
            ledger.reject(member.name, "it does not say when sleep began")
        for i, sleep in enumerate(sleeps):
            ledger.add(f"{member.name}: sleep {i + 1}", partial(watch.parse_sleep, sleep, options))
