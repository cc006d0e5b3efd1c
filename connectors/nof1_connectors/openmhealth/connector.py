"""Recognise Open mHealth's sleep episodes, and read all that a file holds."""

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, counted
from nof1_connectors.openmhealth.parse import parse_episode

SCHEMA: Final = "sleep-episode"
MEASURES: Final = ("total_sleep_time", "latency_to_sleep_onset", "wake_after_sleep_onset")
"""The keys by which an episode without a header is known."""


def _holds_episodes(head: Head) -> bool:
    if not head.has_keys("effective_time_frame") or head.has_keys("$schema"):  # the schema itself is no data
        return False
    return any(head.has_keys(name) for name in (SCHEMA, *MEASURES))


class OpenMHealthConnector:
    """Data points of the schema omh:sleep-episode 1.0 and 1.1, one or many in a file."""

    name: ClassVar[str] = "openmhealth"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Open mHealth",
        staging=("totals",),
        latency=("vendor",),
        latency_note="as good as the device behind it",
        zone="some",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="episodes",
            evidence="data points of the schema sleep-episode",
            kind="json",
            matches=_holds_episodes,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every sleep episode; data points of other schemas are no records.

        Raises
        ------
        nof1.errors.DataError
            A member is no JSON.
        """
        ledger, others = Ledger(self.name, options), 0
        for member in found["episodes"]:
            for number, point in enumerate(_points(read_json(member)), 1):
                if _is_episode(point):
                    ledger.add(f"{member.name}: data point {number}", partial(parse_episode, point, options))
                else:
                    others += 1
        told = f"{counted(others, 'data point')} of other schemas than {SCHEMA}: passed over."
        return ledger.imported([told] if others else [])


def _points(value: Any) -> Iterator[Any]:
    """Give every data point of a file: one, a list of them, or the response of a Shimmer server, whose body is one."""
    if isinstance(value, dict) and isinstance(value.get("body"), list):
        value = value["body"]
    yield from value if isinstance(value, list) else [value]


def _is_episode(point: Any) -> bool:
    """Say whether a data point claims to be a sleep episode: by the schema in its header, or else by its keys."""
    if not isinstance(point, dict):
        return True  # damaged: to be rejected with a reason, not passed over
    header = point.get("header")
    schema = header.get("schema_id") if isinstance(header, dict) else None
    if isinstance(schema, dict) and "name" in schema:
        return bool(schema["name"] == SCHEMA)
    body = point.get("body", point)
    return not isinstance(body, dict) or not body.keys().isdisjoint(MEASURES)
