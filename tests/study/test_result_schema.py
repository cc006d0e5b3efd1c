"""The schema of the result: every number is described, every object closed, and what is analysed fits."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.cases import Typist

from nof1.study.package import export_package
from nof1.study.result_schema import result_schema
from nof1.study.study import open_study


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of the schema that has properties."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for inner in schema.values():
            yield from objects(inner)
    if isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


def test_the_schema_is_one_and_closed() -> None:
    """It is valid JSON Schema, and no object of it takes a key that it does not name and require."""
    schema = result_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "urn:nof1:result:1"
    found = list(objects(schema))
    assert len(found) > 30
    for part in found:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


@pytest.mark.parametrize("name", sorted(result_schema()["$defs"]))
def test_every_number_says_what_it_means(name: str) -> None:
    """No number or list stands in the schema without words: its own, or those of the object that it refers to."""
    fields = result_schema()["$defs"][name]["properties"]
    bare = [key for key, field in fields.items() if "description" not in field and "$ref" not in field]
    assert bare == [], f"say under Parameters in the docstring of {name} what these are"


def test_the_published_schema_is_todays() -> None:
    """The file beside the examples is what `nof1 analyse --schema` prints."""
    published = Path(__file__).parents[2] / "examples" / "result.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == result_schema()


def test_the_command_prints_it_without_a_study(typist: Typist) -> None:
    """Nothing has to be analysed to know what a result will look like."""
    assert json.loads(typist.does("analyse", "--schema")) == result_schema()


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo's study: a trial that is over and analysed."""
    home = tmp_path_factory.mktemp("demo")
    Typist(home).does("demo", "--keep", home / "demo")
    return home / "demo"


def test_a_package_brings_a_result_that_fits_the_schema_beside_it(demonstrated: Path, tmp_path: Path) -> None:
    """Who is handed the folder can check the result without nof1."""
    export_package(open_study(demonstrated), tmp_path / "out")
    result, schema = (
        json.loads((tmp_path / "out" / name).read_text()) for name in ("result.json", "result.schema.json")
    )
    Draft202012Validator(schema).validate(result)
    assert result["participant"] == "INVENTED"


def test_the_demo_fits_and_each_change_of_form_does_not(demonstrated: Path) -> None:
    """A result fits; with a key more, a key less, or a word for a number, it does not."""
    check = Draft202012Validator(result_schema())
    found = json.loads((demonstrated / "reports" / "INVENTED" / "result.json").read_text())
    assert list(check.iter_errors(found)) == []
    for spoil in (
        lambda result: result.update(more=1),
        lambda result: result.pop("arms"),
        lambda result: result["outcomes"][0].update(verdict="a miracle"),
        lambda result: result["outcomes"][0]["effect"].update(median="9"),
        lambda result: result["outcomes"][0]["effect"]["ci95"].append(3.0),
        lambda result: result["outcomes"][0]["sensitivity"][0].update(more=1),
        lambda result: result["trial"].update(first_night=None),
    ):
        spoilt = copy.deepcopy(found)
        spoil(spoilt)
        assert list(check.iter_errors(spoilt)), spoil
