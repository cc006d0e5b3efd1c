"""The header and the annotations of an EDF+ file; its signals are passed over.

Source: Kemp and Olivan, "European data format 'plus' (EDF+)", https://doi.org/10.1016/S1388-2457(03)00123-8
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Final, NamedTuple

from nof1.connect.reading import Member
from nof1.errors import DataError

FIXED_BYTES: Final = 256
"""The length of the header, and of each signal's part of it."""
ANNOTATIONS: Final = "EDF Annotations"
"""The label of signals that hold annotations."""
MAX_SIGNALS: Final = 1_000
MAX_RECORD_BYTES: Final = 2**20
MAX_RECORDS: Final = 2_000_000
"""Twelve for each second of two days."""
MAX_ANNOTATIONS: Final = 200_000
"""More than one for each second of two days."""

_LABEL_BYTES: Final = 16
_COUNT_BYTES: Final = 8
_BEFORE_COUNTS: Final = 216
"""Bytes of a signal's part of the header before its number of samples: label, transducer, dimension, ranges, filter."""
_ANNOTATION: Final = re.compile(
    rb"(?P<onset>[+-]\d{1,9}(?:\.\d*)?)(?:\x15(?P<seconds>\d{1,9}(?:\.\d*)?))?\x14(?P<texts>.*)", re.DOTALL
)
_CHANNEL: Final = re.compile(r"@@.*$")


class Annotation(NamedTuple):
    """One annotation, in seconds after the start of the file; `seconds` is None where it does not say how long."""

    onset: float
    seconds: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the header says.

    Parameters
    ----------
    recording
        Such as ``Startdate 02-MAR-2026 …``.
    date, time
        Of the start, ``dd.mm.yy`` and ``hh.mm.ss``.
    records
        How many data records there are; -1 where the recorder never came to say.
    record_bytes
        The length of each.
    where
        First and last byte of each annotation signal in a record.
    """

    recording: str
    date: str
    time: str
    records: int
    record_bytes: int
    where: tuple[tuple[int, int], ...]


def has_annotations(beginning: bytes) -> bool:
    """Say whether a file that begins like this is EDF with a signal of annotations."""
    if not beginning.startswith(b"0".ljust(8)):
        return False
    count = beginning[252:FIXED_BYTES].strip()
    labels = beginning[FIXED_BYTES : FIXED_BYTES + _LABEL_BYTES * int(count)] if count.isdigit() else b""
    return ANNOTATIONS.encode() in labels


def read_annotations(member: Member) -> tuple[Header, list[Annotation]]:
    """Read the header and every annotation, one data record at a time.

    Raises
    ------
    DataError
        The file is damaged or cut short.
    """
    found: list[Annotation] = []
    with member.open() as stream:
        header = _read_header(stream, member.name)
        count = 0
        while record := stream.read(header.record_bytes):
            if len(record) < header.record_bytes:
                break
            count += 1
            for begins, ends in header.where:
                found += _annotations(record[begins:ends], member.name)
            if len(found) > MAX_ANNOTATIONS or count > MAX_RECORDS:
                raise DataError(f"{member.name} holds more annotations or data records than two days can: refused.")
    if header.records not in (-1, count):
        raise DataError(f"{member.name} says {header.records:,} data records and holds {count:,}. Copy it again.")
    return header, found


def _read_header(stream: IO[bytes], name: str) -> Header:
    fixed = stream.read(FIXED_BYTES)
    signals = _number(fixed[252:256], name)
    if not 1 <= signals <= MAX_SIGNALS:
        raise DataError(f"{name} says that it has {signals:,} signals: its header is damaged. Copy it again.")
    rest = stream.read(FIXED_BYTES * signals)
    if len(rest) < FIXED_BYTES * signals:
        raise DataError(f"{name} ends within its header. Copy it again.")
    counts = rest[_BEFORE_COUNTS * signals :][: _COUNT_BYTES * signals]
    sizes = [2 * _number(counts[at : at + _COUNT_BYTES], name) for at in range(0, len(counts), _COUNT_BYTES)]
    if min(sizes) < 0 or not 0 < sum(sizes) <= MAX_RECORD_BYTES:
        raise DataError(f"{name} says that a data record has {sum(sizes):,} bytes: its header is damaged.")
    labels = [rest[at : at + _LABEL_BYTES] for at in range(0, _LABEL_BYTES * signals, _LABEL_BYTES)]
    return Header(
        recording=_text(fixed[88:168]),
        date=_text(fixed[168:176]),
        time=_text(fixed[176:184]),
        records=_number(fixed[236:244], name),
        record_bytes=sum(sizes),
        where=tuple(_of_annotations(labels, sizes)),
    )


def _of_annotations(labels: Sequence[bytes], sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    for label, bounds in zip(labels, pairwise([0, *ends]), strict=True):
        if _text(label) == ANNOTATIONS:
            yield bounds


def _annotations(lists: bytes, name: str) -> Iterator[Annotation]:
    for one in lists.split(b"\0"):
        if not one:
            continue
        told = _ANNOTATION.fullmatch(one)
        if told is None:
            raise DataError(f"{name} holds an annotation that is damaged: {one[:20]!r}. Export it again.")
        seconds = None if told["seconds"] is None else float(told["seconds"])
        for text in told["texts"].split(b"\x14"):
            if text:
                yield Annotation(float(told["onset"]), seconds, _CHANNEL.sub("", text.decode(errors="replace")).strip())


def _number(field: bytes, name: str) -> int:
    try:
        return int(field)
    except ValueError as error:
        raise DataError(f"{name} has {field[:8]!r} where its header has a number: it is damaged.") from error


def _text(field: bytes) -> str:
    return field.decode("ascii", errors="replace").strip()
