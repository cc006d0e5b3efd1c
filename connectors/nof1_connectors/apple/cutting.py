"""The sleep samples of an export.xml, cut out of gigabytes of other records without parsing those.

Apple's files are not always XML: iOS 16 wrote a broken DTD, stray control characters and attributes said twice. So no
XML parser reads them. The stream is searched for the sleep type; where it is the type of a ``<Record>``, that record
alone is cut out. No DTD is read, and no entity exists that could expand.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from nof1.errors import DataError

SLEEP_TYPE: Final = b"HKCategoryTypeIdentifierSleepAnalysis"
MAX_SAMPLE_BYTES: Final = 2**14
"""The longest record that is read, 16 KiB; real ones stay under 2."""

_SAMPLE: Final = re.compile(
    rb'<Record(?P<attributes>(?:\s++[\w:.-]++\s*+=\s*+"[^"]*+")++)\s*+'
    rb"(?:/>|>(?P<children>[^<]*+(?:<(?!/?Record\b)[^<]*+)*+)</Record\s*+>)"
)
_IS_SLEEP: Final = re.compile(rb'\stype\s*+=\s*+"' + SLEEP_TYPE + rb'"')


class Cut(NamedTuple):
    """What stands where the sleep type is named.

    Parameters
    ----------
    at
        The byte of the file at which it begins.
    attributes
        Those of the ``<Record>``, as they are written; None where it is damaged.
    children
        What stands between the record's tags.
    """

    at: int
    attributes: bytes | None
    children: bytes


def cut_samples(chunks: Iterable[bytes], where: str) -> Iterator[Cut]:
    """Cut out every sleep sample, with what is too damaged to be one, in the order of the file.

    Parameters
    ----------
    chunks
        The file, divided anywhere.
    where
        The file's name.

    Raises
    ------
    nof1.errors.DataError
        The file ends before ``</HealthData>``: it was cut short, and nobody knows which nights are missing.
    """
    begins, window = 0, b""
    for chunk in chunks:
        window += chunk
        cuts, done = _cut(window, begins)
        yield from cuts
        kept = max(done, len(window) - MAX_SAMPLE_BYTES - len(SLEEP_TYPE))
        begins, window = begins + kept, window[kept:]
    yield from _cut(window, begins, ends=True)[0]
    if b"</HealthData>" not in window:
        raise DataError(f"{where} is cut short: it does not end with </HealthData>. Export it again.")


def attributes_of(written: bytes) -> dict[bytes, bytes]:
    """Take a tag's attributes apart; entities stay as they are written.

    Raises
    ------
    ValueError
        One is said twice, and differently.
    """
    parts = written.split(b'"')
    names, said = _names(tuple(parts[:-1:2])), parts[1::2]
    told = dict(zip(names, said, strict=True))
    if len(told) < len(names):
        for name, value in zip(names, said, strict=True):
            if value != told[name]:
                raise ValueError(f"it says {name.decode('ascii', 'replace')[:40]} twice, and differently")
    return told


@lru_cache(maxsize=1024)
def _names(written: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(name.strip(b"\t\n\v\f\r =") for name in written)


def _cut(window: bytes, begins: int, *, ends: bool = False) -> tuple[list[Cut], int]:
    """Cut out what is complete in a window that begins at a byte of the file; say how much of it is dealt with."""
    cuts: list[Cut] = []
    done = 0
    while (named := window.find(SLEEP_TYPE, done)) >= 0:
        done, start = named + len(SLEEP_TYPE), _start(window, done, named)
        if start < 0:
            continue
        record = _SAMPLE.match(window, start, start + MAX_SAMPLE_BYTES)
        if record is None:
            if len(window) - start < MAX_SAMPLE_BYTES and not ends:
                return cuts, start  # the rest of it has not been read yet
            cuts.append(Cut(begins + start, None, b""))
        elif record.end() > named:
            done, attributes = record.end(), record["attributes"]
            if _IS_SLEEP.search(attributes):  # else a record of another type mentions it
                cuts.append(Cut(begins + start, attributes, record["children"] or b""))
    return cuts, done


def _start(window: bytes, done: int, named: int) -> int:
    """Where the record begins that names the type; -1 where no record does."""
    first = max(done, named - MAX_SAMPLE_BYTES)
    start = window.rfind(b"<Record", first, named)
    too_long = start < 0 and first > done and window.find(b"<", first, named) < 0
    return first if too_long else start
