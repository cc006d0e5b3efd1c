"""One sleep sample of Apple Health: what its attributes and metadata say."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from nof1.connect.clock import utc_time
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, WAKE
from nof1_connectors.apple.cutting import Cut, attributes_of
from nof1_connectors.apple.sources import HIDDEN, hardware_of, plain, product_of, source_of

IN_BED: Final = "InBed"
LABELS: Final = {
    "Asleep": ASLEEP,
    "AsleepUnspecified": ASLEEP,
    "Awake": WAKE,
    "AsleepCore": LIGHT,
    "AsleepDeep": DEEP,
    "AsleepREM": REM,
}
"""The stage of each of Apple's labels, without their prefix. Until iOS 15 there were only the first and the third."""
MAX_SAMPLE_S: Final = 24 * 3600

_PREFIX: Final = "HKCategoryValueSleepAnalysis"
_NUMBERED: Final = (IN_BED, "AsleepUnspecified", "Awake", "AsleepCore", "AsleepDeep", "AsleepREM")
_WORDS: Final = {str(number): word for number, word in enumerate(_NUMBERED)} | {
    word.lower(): word for word in (IN_BED, *LABELS)
}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", re.ASCII)
_ENTRY: Final = re.compile(rb'<MetadataEntry((?:[^<>"]*+"[^"]*+")*+)')


class Sample(NamedTuple):
    """One sample.

    Parameters
    ----------
    source
        As `sources.source_of` names it: this is kept.
    called
        As the phone calls it: this may be a person's name, and is shown but not kept.
    label
        Apple's word without its prefix, such as ``AsleepCore``; `IN_BED` is no stage.
    start, end, created
        Seconds since 1970.
    zone
        The IANA name of the zone that the sample was recorded in.
    device
        The hardware, such as ``Watch6,1``.
    version
        The first number of the app's or system's version.
    manual
        Whether a person typed it in.
    """

    source: str
    called: str
    label: str
    start: int
    end: int
    created: int | None
    zone: str | None
    device: str | None
    version: str | None
    manual: bool


def parse_sample(cut: Cut) -> Sample:
    """Read one sample.

    Raises
    ------
    ValueError
        It cannot be used; the message is the reason.
    """
    if cut.attributes is None:
        raise ValueError("it is damaged: its tags cannot be made out")
    told = attributes_of(cut.attributes)
    start, end = _seconds(_required(told, b"startDate")), _seconds(_required(told, b"endDate"))
    if not 0 < end - start <= MAX_SAMPLE_S:
        raise ValueError("it ends before it starts, lasts no time, or lasts longer than a day")
    called = plain(_required(told, b"sourceName"))
    zone, manual = _metadata(cut.children)
    device, version = told.get(b"device", b""), told.get(b"sourceVersion", b"")
    source = source_of(called)
    return Sample(
        (product_of(device, version) or source) if source.startswith(HIDDEN) else source,
        called,
        _label(_required(told, b"value")),
        start,
        end,
        _seconds(told[b"creationDate"]) if b"creationDate" in told else None,
        zone,
        hardware_of(device),
        _major(version),
        manual,
    )


def _required(told: Mapping[bytes, bytes], name: bytes) -> bytes:
    if said := told.get(name):
        return said
    raise ValueError(f"it says no {name.decode()}")


@lru_cache(maxsize=1024)
def _seconds(said: bytes) -> int:
    """Read ``2022-11-03 06:22:19 +0100``: the instant is right, the offset is the phone's at the time of export."""
    text = said.decode("ascii", "replace").strip()
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a time")
    return int(utc_time(text[:19] + text[20:]).timestamp())


@lru_cache(maxsize=1024)
def _label(said: bytes) -> str:
    """Apple's word; HealthKit's own numbers, which some tools write, mean the same words."""
    word = said.decode("ascii", "replace").strip().removeprefix(_PREFIX)
    if not re.fullmatch(r"\w{1,60}", word, re.ASCII):
        raise ValueError("its value is not a stage")
    return _WORDS.get(word.lower(), word)


@lru_cache(maxsize=1024)
def _metadata(children: bytes) -> tuple[str | None, bool]:
    """The zone, and whether a person typed the sample in."""
    entries = [attributes_of(written) for written in _ENTRY.findall(children)]
    told = {entry.get(b"key"): entry.get(b"value", b"") for entry in entries}
    zone = told.get(b"HKTimeZone", b"").decode("ascii", "replace").strip()
    return zone or None, told.get(b"HKWasUserEntered") == b"1"


@lru_cache(maxsize=1024)
def _major(said: bytes) -> str | None:
    found = re.match(rb"\d{1,6}", said)
    return found[0].decode() if found else None
