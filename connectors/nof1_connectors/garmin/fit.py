"""The FIT format, as far as sleep needs it: bytes in, a few kinds of messages out.

Protocol: Garmin's FIT SDK. The checksum is not asked for: a bad message is met when it is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FILE_ID: Final = 0
EVENT: Final = 21
SLEEP_INFO: Final = 273
SLEEP_LEVEL: Final = 275
"""Numbers of messages; the last two are not in the SDK (GlobalFITMessage of Freeyourgadget/Gadgetbridge)."""

TIMESTAMP: Final = 253
"""The field that holds a message's time, in seconds after 1989-12-31T00:00:00Z."""
UNIX_AT_FIT_EPOCH: Final = 631_065_600
SLEEP_FILE: Final = 49
"""The type of a file, field 0 of `FILE_ID`, that the watch keeps sleep in."""

type Message = tuple[int, dict[int, int]]
"""The number of a message, and its fields by number; a field that says "invalid" is not there."""

_WANTED: Final = frozenset({FILE_ID, EVENT, SLEEP_INFO, SLEEP_LEVEL})
_MAGIC: Final = b".FIT"
_HEADER_BYTES: Final = 12
_DEFINES: Final = 0x40
_INTEGER_SIZES: Final = frozenset({1, 2, 4})


@dataclass(frozen=True, slots=True)
class _Definition:
    """How the messages of one local type are laid out: fields as (number, size), and the bytes they take in all."""

    number: int
    big_endian: bool
    fields: tuple[tuple[int, int], ...]
    size: int


def is_sleep_file(head: bytes) -> bool:
    """Say whether a file that begins so is a FIT file of sleep: its first message says its type."""
    try:
        number, fields = next(messages(head))
    except (ValueError, StopIteration):
        return False
    return number == FILE_ID and fields.get(0) == SLEEP_FILE


def messages(content: bytes) -> Iterator[Message]:
    """Decode the messages that sleep needs, in order.

    Raises
    ------
    ValueError
        It is no FIT file, or damaged; the message says where.
    """
    if content[8:12] != _MAGIC or content[0] < _HEADER_BYTES:
        raise ValueError("it is not a FIT file")
    at, end = content[0], content[0] + int.from_bytes(content[4:8], "little")
    definitions: dict[int, _Definition] = {}
    clock = 0
    while at < end:
        header = _take(content, at, 1)[0]
        at += 1
        if header & 0xC0 == _DEFINES:
            definitions[header & 0x0F], at = _definition(content, at, has_developer_fields=bool(header & 0x20))
            continue
        compressed = bool(header & 0x80)
        definition = definitions.get((header >> 5) & 3 if compressed else header & 0x0F)
        if definition is None:
            raise ValueError(f"the message at byte {at - 1:,} was not defined")
        body = _take(content, at, definition.size)
        at += definition.size
        fields = _fields(definition, body)
        if compressed:  # the header holds the low five bits of the time, which only grows
            fields[TIMESTAMP] = clock + ((header & 0x1F) - clock) % 32
        clock = fields.get(TIMESTAMP, clock)
        if definition.number in _WANTED:
            yield definition.number, fields


def _definition(content: bytes, at: int, *, has_developer_fields: bool) -> tuple[_Definition, int]:
    _, big_endian, *_ = fixed = _take(content, at, 5)
    number = int.from_bytes(fixed[2:4], "big" if big_endian else "little")
    raw = _take(content, at + 5, 3 * fixed[4])
    at += 5 + len(raw)
    fields = tuple((raw[i], raw[i + 1]) for i in range(0, len(raw), 3))
    size = sum(size for _, size in fields)
    if has_developer_fields:
        count = _take(content, at, 1)[0]
        developer = _take(content, at + 1, 3 * count)
        at += 1 + len(developer)
        size += sum(developer[1::3])
    if not size:  # or a megabyte would hold a million of them
        raise ValueError(f"the message defined before byte {at:,} holds nothing")
    return _Definition(number, bool(big_endian), fields, size), at


def _fields(definition: _Definition, body: bytes) -> dict[int, int]:
    values, at = {}, 0
    for number, size in definition.fields:
        raw = body[at : at + size]
        at += size
        if size in _INTEGER_SIZES and raw != b"\xff" * size:
            values[number] = int.from_bytes(raw, "big" if definition.big_endian else "little")
    return values


def _take(content: bytes, at: int, count: int) -> bytes:
    if at + count > len(content):
        raise ValueError(f"it is cut short at byte {len(content):,}")
    return content[at : at + count]
