"""From a TOML table to a frozen dataclass: every mistake is listed, none stops the reading.

The dataclass *is* the description of the table. A field's annotation says the kind of value, the markers inside
``Annotated`` say how it is written and which values are possible, its default says what an absent key means.
`keys_of` lays that description open, so that other things (a JSON Schema, a reference page) can be made from it.
"""

import dataclasses
import difflib
import inspect
import re
import types
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from nof1.errors import UsageError

LONGEST_TEXT: Final = 4_000
"""Characters; a longer text is a pasted file, not a label."""
LARGEST_NUMBER: Final = 1e12
"""No dose, duration or probability comes near."""
LONGEST_QUOTE: Final = 60
"""Characters of a mistaken value that a message repeats."""

NOT_A_KEY: Final = types.MappingProxyType({"key": False})
"""Metadata of a field that the file does not hold."""


@dataclass(frozen=True, slots=True)
class Written:
    """The key's name in the file, where it differs from the field's: ``[[arm]]`` becomes ``arms``."""

    name: str


@dataclass(frozen=True, slots=True)
class Derived:
    """An absent key takes a value that depends on other keys; the parser fills it in afterwards."""

    source: str


@dataclass(frozen=True, slots=True)
class Within:
    """Bounds of a number: `low` and `high` belong to the range, `above` and `below` do not."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    def complaint(self, value: float) -> str | None:
        """Say what is wrong with a value, or None."""
        if self.low is not None and value < self.low:
            says = f"must be at least {self.low:g}"
        elif self.above is not None and value <= self.above:
            says = "must be positive" if self.above == 0 else f"must be above {self.above:g}"
        elif self.high is not None and value > self.high:
            says = f"must be at most {self.high:g}"
        elif self.below is not None and value >= self.below:
            says = f"must be below {self.below:g}"
        else:
            return None
        return f"{says}, it is {shown(value)}"


@dataclass(frozen=True, slots=True)
class Spelled:
    """The spelling of a name: a pattern that the whole text matches, and the pattern in words."""

    pattern: str
    words: str

    def complaint(self, value: str) -> str | None:
        """Say what is wrong with a value, or None."""
        return None if re.fullmatch(self.pattern, value) else f"must be {self.words}, it is {shown(value)}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """The names that a text may be, where a table elsewhere in the code holds them."""

    names: tuple[str, ...]

    def complaint(self, value: str) -> str | None:
        """Say what is wrong with a value, or None."""
        return None if value in self.names else f"nothing is called {shown(value)}; {nearest(value, self.names)}"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table.

    Parameters
    ----------
    name
        As written in the file.
    field
        The dataclass field it fills.
    annotation
        The field's annotation, markers included.
    default
        What an absent key means; `dataclasses.MISSING` where the key is required.
    derived
        True where an absent key is filled in from other keys instead.
    """

    name: str
    field: str
    annotation: Any
    default: Any
    derived: bool


def keys_of(table: type) -> Mapping[str, Key]:
    """Describe every key of a table, by the name it is written with; fields marked `NOT_A_KEY` are none."""
    hints = get_type_hints(table, include_extras=True)
    keys = {}
    for field in dataclasses.fields(table):
        if field.metadata == NOT_A_KEY:
            continue
        _, markers = kinds_and_markers(hints[field.name])
        name = next((marker.name for marker in markers if isinstance(marker, Written)), field.name)
        derived = any(isinstance(marker, Derived) for marker in markers)
        keys[name] = Key(name, field.name, hints[field.name], field.default, derived)
    return types.MappingProxyType(keys)


def meanings(table: type) -> Mapping[str, str]:
    """Say what each field of a table means: its entry under Parameters in the docstring, without markup."""
    _, _, entries = (inspect.getdoc(table) or "").partition("Parameters\n----------\n")
    found = re.findall(r"^(\w+(?:, \w+)*)\n((?: +\S.*(?:\n|$))+)", entries, re.MULTILINE)
    return {name: " ".join(text.replace("`", "").split()) for names, text in found for name in names.split(", ")}


def read_table(table: type, raw: Mapping[str, Any], path: str, mistakes: list[str]) -> dict[str, Any]:
    """Read the keys of one table.

    Parameters
    ----------
    table
        The dataclass that describes it.
    raw
        The parsed TOML.
    path
        The key path of the table, empty at the top; members of an array count from 1.
    mistakes
        Receives one line for each mistake.

    Returns
    -------
    dict
        Field name to value, tables inside as dictionaries. A mistaken value is left out: what needs it must skip.
    """
    known = keys_of(table)
    mistakes += [_unknown(name, path, known) for name in raw if name not in known]
    fields: dict[str, Any] = {}
    for key in known.values():
        here = _join(path, key.name)
        if key.name in raw:
            for value in _values(key.annotation, raw[key.name], here, mistakes):
                fields[key.field] = value
        elif key.derived:
            continue
        elif key.default is dataclasses.MISSING:
            _absent(fields, key, here, mistakes)
        else:
            fields[key.field] = key.default
    return fields


def build[T](table: type[T], fields: Mapping[str, Any]) -> T:
    """Make the value from fields that `read_table` found without a mistake."""
    values = {}
    for key in keys_of(table).values():
        value = fields[key.field]
        kind = kinds_and_markers(key.annotation)[0][0]
        if isinstance(value, dict):
            value = build(kind, value)
        elif isinstance(value, tuple) and value and isinstance(value[0], dict):
            value = tuple(build(get_args(kind)[0], member) for member in value)
        values[key.field] = value
    return table(**values)


def kinds_and_markers(annotation: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Split an annotation into the kinds it allows (None aside: TOML has no null) and its markers."""
    markers: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        markers = tuple(rest)
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(kind for kind in get_args(annotation) if kind is not types.NoneType), markers
    return (annotation,), markers


def shown(value: object) -> str:
    """A value as the message quotes it: short, and harmless to a terminal."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a number too long to print"
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def require_plain(text: str, what: str) -> None:
    """Refuse what could act on a terminal, or pass for a line that nof1 wrote, where it is printed.

    Raises
    ------
    UsageError
        The text holds a control character or a line break.
    """
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        raise UsageError(f"{what}: {shown(text)} holds a control character or a line break; write one plain line.")


def nearest(name: str, known: Iterable[str]) -> str:
    """Where to go from a name that does not exist: the one most like it, else all of them."""
    names = list(known)
    close = difflib.get_close_matches(name[:100], names, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(names)}"


def _absent(fields: dict[str, Any], key: Key, here: str, mistakes: list[str]) -> None:
    kind = kinds_and_markers(key.annotation)[0][0]
    if dataclasses.is_dataclass(kind):
        fields[key.field] = read_table(cast("type", kind), {}, here, mistakes)
    elif get_origin(kind) is tuple:
        mistakes.append(f"{here}: missing; at least one [[{here}]] table is needed")
    else:
        mistakes.append(f"{here}: missing")


def _values(annotation: object, raw: object, here: str, mistakes: list[str]) -> Iterator[Any]:
    """Yield the one value that raw stands for, or nothing after noting the mistake."""
    kinds, markers = kinds_and_markers(annotation)
    kind = kinds[0]
    if dataclasses.is_dataclass(kind):
        if isinstance(raw, dict):
            yield read_table(cast("type", kind), raw, here, mistakes)
        else:
            mistakes.append(f"{here}: must be a table, it is {shown(raw)}")
            yield {}  # keeps the places of the others in an array
    elif get_origin(kind) is tuple:
        if isinstance(raw, list):
            member = get_args(kind)[0]
            found = [list(_values(member, item, f"{here}[{n}]", mistakes)) for n, item in enumerate(raw, start=1)]
            yield tuple(value for values in found for value in values)
        else:
            mistakes.append(f"{here}: must be a list, it is {shown(raw)}")
    else:
        value, complaint = _leaf(kinds, markers, raw)
        if complaint is None:
            yield value
        else:
            mistakes.append(f"{here}: {complaint}")


def _leaf(kinds: tuple[Any, ...], markers: tuple[Any, ...], raw: Any) -> tuple[Any, str | None]:
    """Read a text, number, truth value or one of fixed words: the value, and the complaint if there is one."""
    words = tuple(word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind))
    if type(raw) in {str, int} and raw in words:
        return raw, None
    plain = [kind for kind in kinds if get_origin(kind) is not Literal]
    if not plain:
        return None, f"must be one of {', '.join(map(shown, words))}; it is {shown(raw)}"
    value = _plain(plain[0], raw)
    if value is None:
        also = f" or {', '.join(map(shown, words))}" if words else ""
        return None, f"must be {_KIND_WORDS[plain[0]]}{also}, it is {shown(raw)}"
    complaints = (marker.complaint(raw) for marker in markers if isinstance(marker, Within | Spelled | OneOf))
    return value, next((complaint for complaint in complaints if complaint), None)


_KIND_WORDS: Final = {
    str: f"a text of 1 to {LONGEST_TEXT} characters without control characters",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def _plain(kind: type, raw: Any) -> str | bool | int | float | None:
    """Return the raw value as that kind, None where it is not of it. True is no number; 10.0 is no whole number."""
    fits = type(raw) in {int, float} if kind is float else type(raw) is kind
    if not fits:
        return None
    if kind in {int, float}:
        return kind(raw) if abs(raw) < LARGEST_NUMBER else None  # NaN is below nothing
    return raw if kind is bool or _clean(raw) else None


def _clean(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST_TEXT and all(c.isprintable() or c in "\n\t" for c in text)


def _unknown(name: str, path: str, known: Mapping[str, Key]) -> str:
    return f"{_join(path, name)}: unknown key; {nearest(name, known)}"


def _join(path: str, name: str) -> str:
    written = name if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) else shown(name)
    return f"{path}.{written}" if path else written
