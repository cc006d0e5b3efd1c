"""Recognise nof1's own CSV by its columns, and read all that it holds."""

import re
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger
from nof1.connect.reading import Member
from nof1_connectors.generic_csv.nights import dated, parse_night, refuse_twice, require_minutes, told_twice
from nof1_connectors.generic_csv.stages import Stage, parse_recording, place_stage, recordings_of
from nof1_connectors.generic_csv.table import MEASURES, SHARED, line_of, read_table

_NIGHT_COLUMNS: Final = SHARED.union(MEASURES, {"night"})
_STAGE_COLUMNS: Final = SHARED | {"seconds", "stage"}
_MEASURE_LIKE: Final = re.compile(r"(tst|light|deep|rem)_min\w*")


def _holds_nights(head: Head) -> bool:
    measures = any(_MEASURE_LIKE.fullmatch(name) for name in head.columns)
    return measures and "stage" not in head.columns and not head.columns.isdisjoint({"night", "start", "lights_out"})


def _holds_stages(head: Head) -> bool:
    return head.has_columns("start", "stage") and not head.columns.isdisjoint({"end", "seconds"})


class GenericCsvConnector:
    """Tables that a person makes of any source: one row a night, or one row a stage."""

    name: ClassVar[str] = "generic_csv"
    version: ClassVar[str] = "3"
    about: ClassVar[About] = About(
        title="any source, as CSV",
        staging=("stages", "sleep_wake", "totals"),
        latency=("in_bed", "vendor", "stages"),
        latency_note="as good as the column lights_out or sol_min, where there is one",
        zone="some",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="nights",
            evidence="a table with night or start, and columns such as tst_min and deep_min",
            kind="text",
            matches=_holds_nights,
        ),
        Form(
            name="stages",
            evidence="a table with start, stage, and end or seconds",
            kind="text",
            matches=_holds_stages,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read both tables. A record is a row of nights, or the stages of one recording.

        Raises
        ------
        nof1.errors.DataError
            A table is no CSV, or one of its columns is misspelt.
        """
        ledger = Ledger(self.name, options)
        warnings = [*_read_nights(found["nights"], ledger, options), *_read_stages(found["stages"], ledger, options)]
        return ledger.imported(warnings)


def _read_nights(members: Sequence[Member], ledger: Ledger, options: ReadOptions) -> list[str]:
    warnings: list[str] = []
    for member in members:
        rows, told = read_table(member, _NIGHT_COLUMNS)
        warnings += told
        require_minutes(rows, member.name)
        rows = [dated(row) for row in rows]
        twice = told_twice(rows)
        for row in rows:
            parse = (
                partial(refuse_twice, twice[line_of(row)])
                if line_of(row) in twice
                else partial(parse_night, row, options)
            )
            ledger.add(f"{member.name}: {line_of(row)}", parse)
    return warnings


def _read_stages(members: Sequence[Member], ledger: Ledger, options: ReadOptions) -> list[str]:
    warnings: list[str] = []
    stages: list[Stage] = []
    for member in members:
        rows, told = read_table(member, _STAGE_COLUMNS)
        warnings += told
        for row in rows:
            where = f"{member.name}: {line_of(row)}"
            try:
                stages.append(place_stage(row, where, options))
            except ValueError as error:
                ledger.reject(where, f"{error}; nobody can say which recording this stage belongs to")
    for recording in recordings_of(stages):
        first = min(recording, key=lambda stage: stage.where)
        ledger.add(f"the recording at {first.where}", partial(parse_recording, recording, options))
    return warnings
