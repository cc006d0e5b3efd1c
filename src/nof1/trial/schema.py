"""The JSON Schema of a protocol file, for editors: made from the dataclasses that check it."""

import dataclasses
from typing import Any, Final, Literal, cast, get_args, get_origin

from nof1.trial.keys import (
    LARGEST_NUMBER,
    LONGEST_TEXT,
    Key,
    OneOf,
    Spelled,
    Within,
    keys_of,
    kinds_and_markers,
    meanings,
)
from nof1.trial.protocol import Protocol

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"\S"}

type _Schema = dict[str, Any]


def protocol_schema() -> dict[str, Any]:
    """Describe a protocol file as JSON Schema, draft 2020-12.

    Whatever it refuses, `nof1.trial.protocol.parse_protocol` refuses as well; on names, kinds, bounds and fixed words
    of single keys the two agree. Three things it does not say: what keys may not say together, that 10.0 is no whole
    number, and that a text holds no control character.
    """
    return {**_table(Protocol), "$schema": DRAFT, "description": "The protocol of an N-of-1 trial, as nof1 reads it."}


def _table(table: type) -> _Schema:
    says = meanings(table)
    keys = keys_of(table)
    return {
        "description": (table.__doc__ or "").partition("\n")[0],
        "type": "object",
        "properties": {name: _key(key, says.get(key.field)) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if _is_required(key)],
        "additionalProperties": False,
    }


def _key(key: Key, meaning: str | None) -> _Schema:
    schema = _of(key.annotation)
    if key.default is dataclasses.MISSING and schema.get("type") == "array" and not key.derived:
        schema["minItems"] = 1
    if meaning:
        schema["description"] = meaning
    if not (key.derived or key.default is dataclasses.MISSING or key.default in {None, ""}):
        schema["default"] = _plain(key.default)
    return schema


def _is_required(key: Key) -> bool:
    """Whether the file must have the key: a table where a key inside it is required, too."""
    if key.default is not dataclasses.MISSING or key.derived:
        return False
    kind = kinds_and_markers(key.annotation)[0][0]
    return not dataclasses.is_dataclass(kind) or any(map(_is_required, keys_of(cast("type", kind)).values()))


def _of(annotation: object) -> _Schema:
    kinds, markers = kinds_and_markers(annotation)
    forms = [_form(kind, markers) for kind in kinds]
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _form(kind: Any, markers: tuple[object, ...]) -> _Schema:
    if dataclasses.is_dataclass(kind):
        return _table(cast("type", kind))
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _of(get_args(kind)[0])}
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if kind is bool:
        return {"type": "boolean"}
    if kind is str:
        return _text(markers)
    return {"type": "integer" if kind is int else "number", **_bounds(markers)}


def _text(markers: tuple[object, ...]) -> _Schema:
    for marker in markers:
        if isinstance(marker, OneOf):
            return {"enum": list(marker.names)}
        if isinstance(marker, Spelled):  # the second $ keeps out a line feed at the end, which some engines let through
            return {"type": "string", "pattern": f"^(?:{marker.pattern})$(?!\\n)"}
    return dict(_TEXT)


def _bounds(markers: tuple[object, ...]) -> _Schema:
    within = next((marker for marker in markers if isinstance(marker, Within)), Within())
    bounds = {
        "minimum": within.low,
        "exclusiveMinimum": within.above,
        "maximum": within.high,
        "exclusiveMaximum": within.below,
    }
    if within.low is None and within.above is None:
        bounds["exclusiveMinimum"] = -LARGEST_NUMBER
    if within.high is None and within.below is None:
        bounds["exclusiveMaximum"] = LARGEST_NUMBER
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    if dataclasses.is_dataclass(value):
        return {
            name: _plain(member)
            for name, key in keys_of(type(value)).items()
            if (member := getattr(value, key.field)) is not None
        }
    return value
