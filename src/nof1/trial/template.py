"""The template of a protocol: every key with its default and what it means, made from the dataclasses that check it."""

import dataclasses
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args, get_origin

from nof1.trial.keys import Derived, Key, OneOf, keys_of, kinds_and_markers, meanings, shown
from nof1.trial.protocol import Arm, Design, Outcome, Protocol

HEAD: Final = """\
#:schema ./protocol.schema.json
# A trial protocol for nof1. Check it with: nof1 protocols check FILE
# Your editor checks it while you type, once this folder holds: nof1 protocols schema > protocol.schema.json
# Every key is here. A key that is left out means the value shown; where a line begins with # and no space follows,
# leaving it out is the default: take the # away and fill it in.
# nof1 records and gates, and never recommends a dose: agree on it with a clinician before the first night."""

EXAMPLES: Final[Mapping[type, tuple[Mapping[str, Any], ...]]] = MappingProxyType(
    {
        Arm: (
            {"code": "treatment", "label": "What is tried"},
            {"code": "reference", "label": "What it is compared with: a placebo, or nothing", "reference": True},
        ),
        Design: ({"scheme": "randomised-pairs"},),
        Outcome: ({"measure": "deep_min"}, {"measure": "sol_min"}),
    }
)
"""What a protocol cannot do without, filled in: each member is one table, the first of them with all its keys."""

PLACEHOLDERS: Final = frozenset({"...", *(str(table["label"]) for table in EXAMPLES[Arm])})
"""Texts of the template that somebody has to replace by their own."""

DEEPEST: Final = 5
"""Tables and arrays around a text: ``safety.separate[1].drug`` has four."""
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""How keys are spelled; others are no keys of a protocol, and told as such."""

WIDTH: Final = 118


def template() -> str:
    """Write a protocol with every key in it; it can be started once its `PLACEHOLDERS` are filled in."""
    keys = keys_of(Protocol).values()
    single = [key for key in keys if _table_of(key) is None]
    blocks = ["\n".join(_lines(Protocol, single, {}))]
    blocks += [block for key in keys if (table := _table_of(key)) for block in _blocks(key, table)]
    return "\n\n".join([HEAD, *blocks]) + "\n"


def unfilled(raw: Any) -> list[str]:
    """Name every text that still is as in the template, with its key path; members of an array count from 1.

    Parameters
    ----------
    raw
        Parsed TOML, whatever it holds; what lies deeper than any key of a protocol is not looked at.
    """
    return [
        f"{path}: {shown(text)} stands there as in the template; say it in your own words"
        for path, text in _texts(raw, "", DEEPEST)
        if text.strip() in PLACEHOLDERS
    ]


def _texts(raw: Any, path: str, deeper: int) -> Iterator[tuple[str, str]]:
    if isinstance(raw, str):
        yield path, raw
    elif isinstance(raw, dict) and deeper:
        for name in filter(NAME.fullmatch, raw):
            yield from _texts(raw[name], f"{path}.{name}" if path else name, deeper - 1)
    elif isinstance(raw, list) and deeper:
        for place, value in enumerate(raw, start=1):
            yield from _texts(value, f"{path}[{place}]", deeper - 1)


def _table_of(key: Key) -> type | None:
    """The dataclass of a key that holds a table, or an array of tables."""
    kind = kinds_and_markers(key.annotation)[0][0]
    member = get_args(kind)[0] if get_origin(kind) is tuple else kind
    return cast("type", member) if dataclasses.is_dataclass(member) else None


def _blocks(key: Key, table: type) -> Iterator[str]:
    """Write a table, or the tables of an array: the first with every key, the others with what they need."""
    is_array = get_origin(kinds_and_markers(key.annotation)[0][0]) is tuple
    left_out = key.default is not dataclasses.MISSING and (is_array or key.default != table())
    heading = f"[[{key.name}]]" if is_array else f"[{key.name}]"
    first, *others = EXAMPLES.get(table, ({},))
    lines = [
        *_comment((table.__doc__ or "").partition("\n")[0]),
        heading,
        *_lines(table, keys_of(table).values(), first),
    ]
    whole = "\n".join(lines).splitlines()
    yield "\n".join(f"#{line}" if left_out and not line.startswith("#") else line for line in whole)
    for other in others:
        yield "\n".join([heading, *(f"{name} = {_toml(value)}" for name, value in other.items())])


def _lines(table: type, keys: Any, filled: Mapping[str, Any]) -> Iterator[str]:
    """Write keys, each under its meaning; one that has no value of its own when it is left out stands commented out."""
    says = meanings(table)
    for key in keys:
        yield from _comment(" ".join([says.get(key.field, ""), *_hints(key)]))
        value = filled.get(key.name, None if key.derived else key.default)
        if value is dataclasses.MISSING or value in {None, ""}:
            yield f"#{key.name} = {_toml(_sample(key.annotation))}"
        else:
            yield f"{key.name} = {_toml(value)}"


def _hints(key: Key) -> Iterator[str]:
    """Say which words are possible, and what an absent key takes from others."""
    kinds, markers = kinds_and_markers(key.annotation)
    inner, more = kinds_and_markers(get_args(kinds[0])[0]) if get_origin(kinds[0]) is tuple else (kinds, markers)
    words = [str(word) for kind in inner if get_origin(kind) is Literal for word in get_args(kind)]
    words += [name for marker in more if isinstance(marker, OneOf) for name in marker.names]
    if len(words) > 1:
        yield f"Possible: {', '.join(words)}."
    yield from (f"Left out: {marker.source}." for marker in markers if isinstance(marker, Derived))


def _sample(annotation: object) -> Any:
    """A value of the right kind; a number stays 0, for what it should be nobody knows here."""
    kinds, markers = kinds_and_markers(annotation)
    if get_origin(kinds[0]) is Literal:
        return get_args(kinds[0])[0]
    if get_origin(kinds[0]) is tuple:
        return ()
    names = next((marker.names for marker in markers if isinstance(marker, OneOf)), ("...",))
    return {bool: False, str: names[0]}.get(kinds[0], 0)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH)]


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        members = [_toml(member) for member in value]
        inline = f"[{', '.join(members)}]"
        return inline if len(inline) < WIDTH / 2 else "[\n" + "".join(f"  {member},\n" for member in members) + "]"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return "{" + ", ".join(f"{name} = {_toml(member)}" for name, member in dataclasses.asdict(value).items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:g}" if isinstance(value, float) else str(value)
