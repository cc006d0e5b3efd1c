"""An editor that knows the schema sees the mistakes that nof1 would see."""

import copy
import tomllib
from importlib import resources
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nof1.trial.contradictions import contradictions
from nof1.trial.keys import keys_of, read_table
from nof1.trial.protocol import Protocol
from nof1.trial.schema import protocol_schema
from nof1.trial.template import template

SHIPPED = {
    entry.name: tomllib.loads(entry.read_text("utf-8"))
    for entry in resources.files("nof1_protocols").iterdir()
    if entry.name.endswith(".toml")
}
FULL = SHIPPED["magnesium-glycinate.toml"]
SCHEMA = Draft202012Validator(protocol_schema())

type Path = tuple[str | int, ...]


def places(value: object, path: Path = ()) -> list[Path]:
    """Every place in a parsed protocol, tables and arrays among them."""
    inside: list[Path] = []
    if isinstance(value, dict | list):
        for name, member in value.items() if isinstance(value, dict) else enumerate(value):
            inside += [(*path, name), *places(member, (*path, name))]
    return inside


def changed(path: Path, value: object) -> dict[str, Any]:
    """The full protocol with another value at one place."""
    raw: Any = copy.deepcopy(FULL)
    *way, last = path
    place = raw
    for step in way:
        place = place[step]
    place[last] = value
    return raw  # type: ignore[no-any-return]


def read(raw: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The parser's complaints about single keys, and those about keys together."""
    mistakes: list[str] = []
    fields = read_table(Protocol, raw, "", mistakes)
    return mistakes, contradictions(fields)


# Not drawn, for a schema cannot tell them: 10.0 for a whole number, and texts with control characters.
LEAVES = st.one_of(
    st.booleans(),
    st.integers(-10, 10_000),
    st.sampled_from([10**11, 10**13, -(10**13)]),
    st.floats(-100, 100).filter(lambda number: not number.is_integer()),
    st.sampled_from(["", " ", "a", "A-1", "deep_min", "fixed", "alternating", "participant", "default", "before dose"]),
    st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=70),
    st.sampled_from(["x" * 4_000, "x" * 4_001, "arm\n"]),
)
VALUES = st.one_of(
    LEAVES, st.lists(LEAVES, max_size=3), st.dictionaries(st.sampled_from(["code", "label", "drug", "x"]), LEAVES)
)


def test_it_is_a_schema() -> None:
    """By the rules of draft 2020-12 the schema itself is sound."""
    Draft202012Validator.check_schema(protocol_schema())


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_protocol_keeps_to_it(name: str) -> None:
    """No editor marks anything in a protocol of the library, nor in the template."""
    assert [error.message for error in SCHEMA.iter_errors(SHIPPED[name])] == []
    assert SCHEMA.is_valid(tomllib.loads(template()))


@given(path=st.sampled_from(places(FULL)), value=VALUES)
@settings(max_examples=400)
def test_schema_and_parser_agree_on_a_changed_value(path: Path, value: object) -> None:
    """Whatever stands at one place: the schema refuses it where the parser refuses that key, and nowhere else."""
    raw = changed(path, value)
    about_keys, about_all = read(raw)
    if about_keys:
        assert not SCHEMA.is_valid(raw)
    elif not SCHEMA.is_valid(raw):
        assert about_all, "only the parser's rules may excuse a stricter schema"


@given(path=st.sampled_from([path for path in places(FULL) if isinstance(path[-1], str)]))
def test_schema_and_parser_agree_on_what_is_needed(path: Path) -> None:
    """A key left out is missed by both, or by neither."""
    raw: Any = copy.deepcopy(FULL)
    *way, last = path
    place = raw
    for step in way:
        place = place[step]
    del place[last]
    assert SCHEMA.is_valid(raw) == (not read(raw)[0])


@given(
    path=st.sampled_from([(), *(path for path in places(FULL) if not isinstance(path[-1], str))]), name=st.text("abcz_")
)
def test_schema_and_parser_agree_on_unknown_keys(path: Path, name: str) -> None:
    """A key that nobody knows is refused by both."""
    raw: Any = copy.deepcopy(FULL)
    place = raw
    for step in path:
        place = place[step]
    assume(isinstance(place, dict) and name not in place)
    place[name] = 1
    assert not SCHEMA.is_valid(raw)
    assert read(raw)[0]


def test_an_editor_can_explain_every_key() -> None:
    """Each key carries its meaning, and its default where it has one."""
    schema = protocol_schema()
    for name, key in keys_of(Protocol).items():
        assert schema["properties"][name].get("description") or schema["properties"][name]["items"]["description"]
        assert ("default" in schema["properties"][name]) <= (not key.derived)
    assert schema["properties"]["design"]["properties"]["blocks"]["default"] == 6
    assert "deep_min" in schema["properties"]["outcome"]["items"]["properties"]["measure"]["enum"]
