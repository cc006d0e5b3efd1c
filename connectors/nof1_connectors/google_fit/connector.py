"""Recognise Google Fit's files of sleep, and read them."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger
from nof1.connect.reading import Member
from nof1_connectors.google_fit.segments import Point, parse_run, read_points, runs
from nof1_connectors.google_fit.sessions import parse_session

_SLEEP_SESSION: Final = re.compile(r'"fitnessActivity"\s*:\s*"sleep')
_SLEEP_SEGMENT: Final = "com.google.sleep.segment"
_ACTIVITY_SEGMENT: Final = "com.google.activity.segment"


def _holds_session(head: Head) -> bool:
    return head.has_keys("startTime", "endTime") and bool(_SLEEP_SESSION.search(head.text))


def _holds_points(kind: str) -> Callable[[Head], bool]:
    """Recognise data points by the name of their stream or by their type, which stand first, as far as they may be."""
    keys = ("Data Source", "Data Points", "dataSourceId", "point")

    def matches(head: Head) -> bool:
        named = f'"{kind}' in head.text or f":{kind}" in head.text
        return named and any(map(head.has_keys, keys))

    return matches


class GoogleFitConnector:
    """A Takeout of Google Fit, and data sets of its REST interface."""

    name: ClassVar[str] = "google_fit"
    version: ClassVar[str] = "2"
    about: ClassVar[About] = About(
        title="Google Fit",
        staging=("stages", "sleep_wake", "totals"),
        latency=(),
        latency_note="sessions begin with sleep",
        zone="none",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="sessions",
            evidence="a session whose fitnessActivity is sleep",
            kind="json",
            matches=_holds_session,
            seen=False,
            named=re.compile(r"_SLEEP\.json$"),
        ),
        Form(
            name="segments",
            evidence="data points of com.google.sleep.segment",
            kind="json",
            matches=_holds_points(_SLEEP_SEGMENT),
            seen=False,
            named=re.compile(r"com\.google\.sleep\.segment[^/]*\.json$"),
        ),
        Form(  # the first sleep may come after years of walks: only reading it all tells whether it holds any
            name="activities",
            evidence="data points of com.google.activity.segment, among which sleep may be",
            kind="json",
            matches=_holds_points(_ACTIVITY_SEGMENT),
            seen=False,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every session, and every run of segments; both may tell one night, in streams of their own.

        Raises
        ------
        nof1.errors.DataError
            A file is damaged.
        """
        ledger = Ledger("google_fit", options)
        for member in found["sessions"]:
            for where, record in _records(member):
                ledger.add(where, partial(parse_session, record, options))
        points: set[Point] = set()
        for member in (*found["segments"], *found["activities"]):
            points.update(_new_points(member, points, ledger))
        for run in runs(points):
            ledger.add(
                f"segments of {run[0].origin} from {run[0].start:%Y-%m-%d %H:%M} UTC", partial(parse_run, run, options)
            )
        walks = [f"{member.name} holds activities, and no sleep among them." for member in found["activities"]]
        return ledger.imported(walks if not points else [])


def _records(member: Member) -> Iterator[tuple[str, object]]:
    """Give the session of a file: one a file, as Takeout writes them, or a list of them."""
    value = read_json(member)
    if not isinstance(value, list):
        yield member.name, value
        return
    for i, item in enumerate(value):
        yield f"{member.name}: session {i + 1}", item


def _new_points(member: Member, known: set[Point], ledger: Ledger) -> Iterator[Point]:
    """Give the points of a file that no other told; a Takeout tells the same ones raw and merged."""
    for where, point in read_points(read_json(member), member.name):
        if isinstance(point, str):
            ledger.reject(where, point)
        elif point not in known:
            yield point
