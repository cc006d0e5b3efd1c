"""The template is a protocol, and holds every key there is."""

import dataclasses
import re
import tomllib
from dataclasses import replace
from typing import Any, cast, get_args, get_origin

import pytest

from nof1.trial import protocol, safety_rules
from nof1.trial.keys import keys_of, kinds_and_markers, meanings
from nof1.trial.protocol import Protocol, parse_protocol
from nof1.trial.template import PLACEHOLDERS, template, unfilled

NEEDED = """
[[arm]]
code = "treatment"
label = "What is tried"
[[arm]]
code = "reference"
label = "What it is compared with: a placebo, or nothing"
reference = true
[design]
scheme = "randomised-pairs"
[[outcome]]
measure = "deep_min"
[[outcome]]
measure = "sol_min"
"""
TABLES = sorted(
    (
        table
        for module in (protocol, safety_rules)
        for table in vars(module).values()
        if isinstance(table, type) and table.__module__ == module.__name__
    ),
    key=lambda table: table.__name__,
)


def uncommented() -> dict[str, Any]:
    """Read the template with every key that is commented out taken in."""
    return tomllib.loads(re.sub(r"^#(?=[a-z_]+ = |\[)", "", template(), flags=re.MULTILINE))


def missing(table: type, raw: dict[str, Any], path: str = "") -> list[str]:
    """Every key of a table, and of the tables in it, that is not there."""
    absent = []
    for name, key in keys_of(table).items():
        if name not in raw:
            absent.append(path + name)
            continue
        kind = kinds_and_markers(key.annotation)[0][0]
        kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
        if dataclasses.is_dataclass(kind):
            inside = raw[name][0] if isinstance(raw[name], list) else raw[name]
            absent += missing(cast("type", kind), inside, f"{path}{name}.")
    return absent


def test_the_untouched_template_is_a_protocol_of_defaults() -> None:
    """What it spells out is what leaving it out would mean, key for key."""
    assert replace(parse_protocol(template()), sha256="") == replace(parse_protocol(NEEDED), sha256="")


def test_a_text_of_the_template_is_found_wherever_it_stands() -> None:
    """With the keys that lead there; unknown keys and hostile depths are looked at no further."""
    assert len(PLACEHOLDERS) == 3
    raw = {"safety": {"log": ["nausea", "..."], "separate": [{"drug": " ... "}]}, "arm": [{"label": "What is tried"}]}
    found = [line.partition(":")[0] for line in unfilled(raw)]
    assert found == ["safety.log[2]", "safety.separate[1].drug", "arm[1].label"]
    deep: Any = "..."
    for _ in range(5_000):
        deep = {"a": deep}
    assert unfilled(deep | {"A\x1b": "..."}) == []


def test_no_key_is_missing_from_the_template() -> None:
    """Every key stands in it, filled in or commented out."""
    assert missing(Protocol, uncommented()) == []


def test_every_key_stands_under_its_meaning() -> None:
    """Above each key of a table's first member is a comment."""
    lines = template().splitlines()
    arms, _, rest = "\n".join(lines).partition('\n[[arm]]\ncode = "reference"')
    for before, line in zip(arms.splitlines(), arms.splitlines()[1:], strict=False):
        if re.match(r"#?[a-z_]+ = ", line):
            assert before.startswith("# "), line
    assert rest


@pytest.mark.parametrize("table", TABLES)
def test_every_key_says_what_it_means(table: type) -> None:
    """The docstring of each table has an entry for each of its keys, but for those that are tables themselves."""
    said = set(meanings(table))
    keys = {key.field for key in keys_of(table).values()}
    assert said <= {field.name for field in dataclasses.fields(table)}
    assert keys - said <= {"arms", "design", "blinding", "outcomes", "diary", "sleep", "analysis", "safety", "about"}


def test_an_editor_finds_the_schema() -> None:
    """The first line names the file that ``nof1 protocols schema`` is told to write."""
    head = template().splitlines()
    assert head[0] == "#:schema ./protocol.schema.json"
    assert "nof1 protocols schema > protocol.schema.json" in template()
