"""What the payload of each kind of event holds: its keys, and what may stand under each.

A chain that is whole says that nobody touched an event after it was written, and nothing of who wrote it. So what is
read is checked as if a stranger had written it, once and here: whatever makes state of a payload may rely on its shape.
The check is strict both ways, for a key that nobody reads is one that somebody may believe to be read.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nof1.sleep.streams import DEVICE_LATENCY_SOURCES
from nof1.trial.baseline import AGE_BANDS, SAID
from nof1.trial.blinding import CustodianRole
from nof1.trial.diary import OWN_COLUMNS, SEVERITIES, SLEEP_QUALITIES
from nof1.trial.safety import Risk
from nof1.trial.schedule import LONGEST_NIGHTS
from nof1.trial.scheme import SCHEMES

type Shape = Callable[[Any], str | None]
"""Says what is wrong with a value, beginning with the path to the place inside it; None where nothing is."""

LARGEST: Final = 2**53
"""Up to here every number is exact in JSON, in Python and in a table."""
LARGEST_EFFECT: Final = 600
"""Minutes, or log ratios: more is in no night, and has no ratio that a computer can write."""
YEARS: Final = range(1900, 2200)
"""Beyond them dates are mistyped or made up, and calendars end."""
DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00", re.ASCII)
LONGEST_SHOWN: Final = 40
NO_MORE: Final[Mapping[str, Shape]] = MappingProxyType({})


def payload_fault(kind: str, payload: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the payload of an event of this kind; None where it is as nof1 writes it."""
    shape = SHAPES.get(kind)
    if shape is None:
        return f"{kind[:LONGEST_SHOWN]!r} is no kind of event that this version knows"
    fault = shape(payload)
    return f"payload{fault}" if fault else None


def event_fault(kind: str, at: str, participant: str | None) -> str | None:
    """Say what is wrong with what stands beside the payload: the instant, and whose event it is."""
    if said := _instant(at):
        return f"at{said}"
    of_study = kind == "study-created"
    if of_study and participant is not None:
        return f"participant must be null, it is {_shown(participant)}"
    said = None if of_study else _code(participant)
    return f"participant{said}" if said else None


def words_fault(**words: str | None) -> str | None:
    """Say what is wrong with the words beside the payload, such as the reason; null is nothing wrong."""
    said = ((name, _or_null(_text)(value)) for name, value in words.items())
    return next((f"{name}{complaint}" for name, complaint in said if complaint), None)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _is(words: str, fits: Callable[[Any], object]) -> Shape:
    return lambda value: None if fits(value) else f" must be {words}, it is {_shown(value)}"


def _matches(pattern: str, words: str) -> Shape:
    compiled = re.compile(pattern, re.ASCII)
    return _is(words, lambda value: isinstance(value, str) and compiled.fullmatch(value))


def _one_of(*words: str) -> Shape:
    return _is(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


def _whole(low: int, high: int = LARGEST) -> Shape:
    bounds = f"from {low} to {high}" if high != LARGEST else f"of at least {low}"
    return _is(f"a whole number {bounds}", lambda value: type(value) is int and low <= value <= high)


def _or_null(shape: Shape) -> Shape:
    return lambda value: None if value is None else shape(value)


def _all_of(shape: Shape, *, fewest: int = 0) -> Shape:
    def fault(value: Any) -> str | None:
        if not isinstance(value, list) or len(value) < fewest:
            return f" must be a list of at least {fewest}, it is {_shown(value)}"
        said = ((place, shape(inner)) for place, inner in enumerate(value))
        return next((f"[{place}]{complaint}" for place, complaint in said if complaint), None)

    return fault


def _by(key: Shape, shape: Shape, *, fewest: int = 0) -> Shape:
    """A table whose keys are not known beforehand."""

    def fault(value: Any) -> str | None:
        if not isinstance(value, dict) or len(value) < fewest:
            return f" must be a table of at least {fewest}, it is {_shown(value)}"
        for name, inner in value.items():
            if complaint := key(name):
                return f": a key{complaint}"
            if complaint := shape(inner):
                return f".{name}{complaint}"
        return None

    return fault


def _table(more: Mapping[str, Shape] = NO_MORE, /, *, later: Mapping[str, Shape] = NO_MORE, **named: Shape) -> Shape:
    """A table of these keys and no others; those in `later` may be absent, for an earlier version did not ask."""
    keys = {**named, **more}
    known = {**keys, **later}

    def fault(value: Any) -> str | None:
        if not isinstance(value, dict):
            return f" must be a table, it is {_shown(value)}"
        if missing := keys.keys() - value.keys():
            return f".{min(missing)} is missing"
        if unknown := value.keys() - known.keys():
            return f" must not hold {_shown(min(unknown))}"
        said = ((name, known[name](inner)) for name, inner in value.items())
        return next((f".{name}{complaint}" for name, complaint in said if complaint), None)

    return fault


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and bool(DATE.fullmatch(value)) and _is_on_calendar(value)


def _is_instant(value: Any) -> bool:
    return isinstance(value, str) and bool(INSTANT.fullmatch(value)) and _is_on_calendar(value)


def _is_on_calendar(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).year in YEARS
    except ValueError:
        return False


def _is_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and ZoneInfo(value).key == value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _is_text(value: Any) -> bool:
    """Say whether it is text; half a character, as in the name of a file that is not UTF-8, is none."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return type(value) in {int, float} and abs(value) < LARGEST


_text: Final = _is("text that can be written as UTF-8", _is_text)
_flag: Final = _is("true or false", lambda value: isinstance(value, bool))
_number: Final = _is("a number", _is_number)
_date: Final = _is(f"a date from {YEARS[0]} to {YEARS[-1]}, such as 2026-12-01", _is_date)
_instant: Final = _is("an instant in UTC, such as 2026-12-01T21:10:00+00:00", _is_instant)
_zone: Final = _is("a zone that this machine knows, such as Europe/Berlin", _is_zone)
_sha256: Final = _matches(r"[0-9a-f]{64}", "64 hexadecimal digits")
_key: Final = _matches(r"[0-9a-f]{32}", "32 hexadecimal digits")
_code: Final = _matches(r"[A-Za-z0-9]{1,16}", "a participant's code")
_clock: Final = _matches(r"\s*([01]?\d|2[0-3]):[0-5]\d\s*", "a time of day, such as 21:30")
_count: Final = _whole(0)
_question: Final = _is(
    "the key of a question", lambda value: re.fullmatch(r"[a-z][a-z0-9_]*", value) and value not in OWN_COLUMNS
)
_answer: Final = _is(
    "a number, true or false, or text", lambda value: isinstance(value, bool) or _is_number(value) or _is_text(value)
)

_period: Final = _table(
    number=_whole(1, LONGEST_NIGHTS),
    block=_whole(1, LONGEST_NIGHTS),
    arm=_or_null(_text),
    first_night=_date,
    nights=_whole(1, LONGEST_NIGHTS),
)
_schedule: Final = _table(
    first_night=_date, transition_nights=_whole(0, LONGEST_NIGHTS), periods=_all_of(_period, fewest=1)
)
_allocation: Final = _table(
    scheme=_one_of(*SCHEMES), algorithm_version=_whole(1), seed=_sha256, sequence=_all_of(_text, fewest=1)
)
_seal: Final = _table(
    commitment=_sha256,
    ciphertext=_text,
    custodian=_text,
    later={"role": _or_null(_one_of(*get_args(CustodianRole)))},
)
_safety: Final = {
    "answers": _by(_text, _one_of(*get_args(Risk))),
    "asked": _one_of("one by one", "together"),
    "clinician": _or_null(_table(name=_text, reason=_text)),
    "medicines": _all_of(_text),
}
_protocol: Final = {"protocol_id": _text, "protocol_sha256": _sha256}
_ending: Final = _table(last_night=_date)
_share: Final = _is("a share from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)
_effect: Final = _is(
    f"a number from -{LARGEST_EFFECT} to {LARGEST_EFFECT}",
    lambda value: _is_number(value) and abs(value) <= LARGEST_EFFECT,
)
_chances: Final = _table(effect=_or_null(_effect), half_width=_effect, verdicts=_by(_text, _share))
_enough: Final = _table(effect=_effect, blocks=_or_null(_count), most=_count)

SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "study-created": _table(format=_whole(1, 1)),
        "participant-added": _table(zone=_zone),
        "baseline-recorded": _table(
            age_band=_or_null(_one_of(*AGE_BANDS)),
            isi=_or_null(_count),
            depression=_or_null(_one_of(*SAID)),
            egfr=_or_null(_number),
            medicines=_or_null(_all_of(_text)),
            serum_mmol_l=_or_null(_number),
            red_cell_mmol_l=_or_null(_number),
            servings=_by(_text, _number),
        ),
        "planned": _table(
            _protocol,
            noise=_one_of("own", "default"),
            nights=_count,
            effects=_by(_one_of("none", "published", "worthwhile", "large", "prior"), _chances, fewest=1),
            enough=_or_null(_enough),
        ),
        "safety-answered": _table(_safety),
        "start-refused": _table(_protocol | _safety),
        "trial-started": _table(
            _protocol,
            schedule=_schedule,
            allocation=_or_null(_allocation),
            seal=_or_null(_seal),
            blinding=_text,
        ),
        "kits-rendered": _table(bottles=_whole(1), doses=_whole(1), units=_or_null(_count)),
        "diary-logged": _table(
            night=_date,
            dose_taken=_or_null(_flag),
            dose_at=_or_null(_instant),
            lights_out=_or_null(_instant),
            note=_or_null(_text),
            covariates=_by(_question, _answer),
            later={
                "awakenings": _or_null(_count),
                "sleep_quality": _or_null(_one_of(*SLEEP_QUALITIES)),
                "side_effects": _by(_text, _one_of(*SEVERITIES)),
            },
        ),
        "guessed": _table(period=_whole(1), arm=_or_null(_text), sure=_or_null(_whole(0, 100)), why=_or_null(_text)),
        "paused": _table(first_night=_date),
        "resumed": _table(first_night=_date, back=_date),
        "stopped": _ending,
        "withdrawn": _ending,
        "amended": _table(date=_date),
        "calendar-exported": _table(remind=_clock),
        "imported": _table(
            export=_text,
            size=_count,
            fingerprint=_text,
            connector=_text,
            connector_version=_text,
            zone=_zone,
            zone_source=_one_of("option", "participant"),
            read=_count,
            accepted=_count,
            merged=_count,
            rejected=_count,
            key=_key,
            sha256=_sha256,
        ),
        "import-retracted": _table(key=_key),
        "stream-chosen": _table(
            stream=_text,
            latency_source=_one_of(*DEVICE_LATENCY_SOURCES, "none"),
            nights=_count,
            later={"by": _one_of("nof1", "person")},
        ),
        "analysis-locked": _table(
            protocol=_sha256, nights=_sha256, diary=_sha256, nof1=_text, looked=_one_of("no", "yes", "not said")
        ),
        "unblinded": _table(
            arms=_by(_matches(r"[1-9]\d{0,3}", "the number of a period"), _text, fewest=1),
            allocation=_or_null(_allocation),
            salt=_or_null(_sha256),
        ),
        "analysed": _table({"result.json": _sha256, "posterior.nc": _sha256}),
        "report-rendered": _table({"report.html": _sha256}),
    }
)
"""Every kind of event. A new kind, or a new key of an old one, is declared here; what older records lack is `later`."""
