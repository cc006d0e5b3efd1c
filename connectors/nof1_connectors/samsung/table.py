"""Samsung's tables: a line before the header, long column names, and a comma too many at the end of each row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nof1.connect.decoding import read_rows
from nof1.connect.heads import Head
from nof1.connect.reading import Member
from nof1.errors import DataError

_FIRST_LINE: Final = re.compile(r"([A-Za-z][\w.]*),\d+(?:,\d*)?,*")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Parameters
    ----------
    line
        Its line number in the file.
    fields
        The values that are not empty, by column name without prefix, in lower case.
    ragged
        Whether it has more or fewer values than the header has names.
    """

    line: int
    fields: dict[str, str]
    ragged: bool


def table_name(head: Head) -> str | None:
    """Give the name in the line before the header, such as ``com.samsung.shealth.sleep``; None where there is none."""
    first = _FIRST_LINE.fullmatch(head.text.partition("\n")[0].strip())
    return first[1].lower() if first else None


def read_table(member: Member, needed: Sequence[str]) -> Iterator[Row]:
    """Read a table.

    Parameters
    ----------
    needed
        The columns without which it is damaged.

    Raises
    ------
    DataError
        A needed column is missing or there twice, or the content is not CSV.
    """
    rows = read_rows(member, delimiter=",")
    next(rows, None)
    _, header = next(rows, (0, []))
    names = [name.strip().rpartition(".")[2].lower() for name in header]
    while names and not names[-1]:
        names.pop()
    for name in needed:
        if names.count(name) != 1:
            problem = "lacks the column" if name not in names else "has more than one column"
            raise DataError(f"{member.name} {problem} {name!r}. Download the export again, and do not edit it.")
    for line, cells in rows:
        fields = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
        width = len(cells) - 1 if cells[-1] == "" and len(cells) > len(names) else len(cells)
        yield Row(line, fields, width != len(names))
