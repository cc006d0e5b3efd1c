"""Recognise a Samsung Health export, folder or archive, and read its sleep."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, counted
from nof1.connect.reading import Member
from nof1_connectors.samsung.parse import Stages, parse_sleep, parse_stage
from nof1_connectors.samsung.table import Row, read_table, table_name

_NAMED: Final = re.compile(r"(^|/)com\.samsung\.s?health\.sleep(_stage|_combined)?\.\d+\.csv$", re.IGNORECASE)


def _is(name: str) -> Callable[[Head], bool]:
    return lambda head: table_name(head) == name


class SamsungConnector:
    """Sleeps and their stages, told in two tables; a third repeats the sleeps that were joined."""

    name: ClassVar[str] = "samsung"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Samsung Health",
        staging=("stages", "totals"),
        latency=("vendor", "stages"),
        latency_note="the watch guesses when bed began; its own latency is told since about 2024",
        zone="record",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="sleeps",
            evidence="the table com.samsung.shealth.sleep",
            kind="text",
            matches=_is("com.samsung.shealth.sleep"),
            named=_NAMED,
        ),
        Form(
            name="stages",
            evidence="the table com.samsung.health.sleep_stage",
            kind="text",
            matches=_is("com.samsung.health.sleep_stage"),
            alone=False,
            named=_NAMED,
        ),
        Form(
            name="combined",
            evidence="the table com.samsung.shealth.sleep_combined",
            kind="text",
            matches=_is("com.samsung.shealth.sleep_combined"),
            alone=False,
            named=_NAMED,
        ),
        Form(
            name="old",
            evidence="the table com.samsung.health.sleep, as it was before 2020",
            kind="text",
            matches=_is("com.samsung.health.sleep"),
            seen=False,
            named=_NAMED,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every sleep with its stages.

        Raises
        ------
        nof1.errors.DataError
            A table is damaged.
        """
        ledger = Ledger(self.name, options)
        stages = _read_stages(found["stages"])
        sleeps = [
            (member, row)
            for member in (*found["sleeps"], *found["old"])
            for row in read_table(member, ("start_time", "end_time", "datauuid"))
        ]
        for member, row in sleeps:
            about = stages.get(row.fields.get("datauuid", ""), Stages())
            ledger.add(f"{member.name} line {row.line}", partial(parse_sleep, row, about, options))
        joined = _take_down_combined(found["combined"], [row for _, row in sleeps], ledger)
        known = joined.union(row.fields.get("datauuid", "") for _, row in sleeps)
        for sleep_id in sorted(stages.keys() - known):
            reason = f"{counted(stages[sleep_id].count, 'stage')} of a sleep that is not in this export"
            ledger.reject(f"sleep_id {sleep_id[:40] or '(none)'}", reason)
        return ledger.imported()


def _read_stages(members: Sequence[Member]) -> dict[str, Stages]:
    """Read all stages, by the id of the sleep that they belong to."""
    stages: defaultdict[str, Stages] = defaultdict(Stages)
    for member in members:
        for row in read_table(member, ("start_time", "end_time", "stage", "sleep_id")):
            about = stages[row.fields.get("sleep_id", "")]
            try:
                about.stretches.add(parse_stage(row))
            except ValueError as error:
                about.broken.append(f"{member.name} line {row.line}: {error}")
    return dict(stages)


def _take_down_combined(members: Sequence[Member], sleeps: Sequence[Row], ledger: Ledger) -> set[str]:
    """Account for the joined sleeps: their parts are among the sleeps, and nof1 joins them by its own rule."""
    parts = {row.fields.get("combined_id") for row in sleeps}
    joined: set[str] = set()
    for member in members:
        for row in read_table(member, ("start_time", "end_time", "datauuid")):
            own_id = row.fields.get("datauuid")
            if own_id and own_id in parts:
                joined.add(own_id)
                ledger.merge()
            else:
                ledger.reject(f"{member.name} line {row.line}", "the sleeps that it joins are not in this export")
    return joined
