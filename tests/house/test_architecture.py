"""The documents say what the tree is."""

import ast
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOTS = ("src/nof1", "connectors/nof1_connectors", "protocols/nof1_protocols")
ROW = re.compile(r"^\| `(?P<path>[^`]+\.py)` \| (?P<what>.*) \|$", re.MULTILINE)

pytestmark = pytest.mark.skipif(not (ROOT / "ARCHITECTURE.md").exists(), reason="the checkout is not here")


def modules() -> dict[str, str]:
    """Every module with the first line of its docstring."""
    paths = [path for root in ROOTS for path in sorted((ROOT / root).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): first_line(path) for path in paths}


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0]


def test_the_table_of_modules_is_the_tree() -> None:
    """ARCHITECTURE.md lists every module and every connector, and says of each what its docstring says."""
    table = {match["path"]: match["what"] for match in ROW.finditer((ROOT / "ARCHITECTURE.md").read_text())}
    listed = {path: what for path, what in modules().items() if not is_inside_a_connector(path)}
    wanted = "\n".join(f"| `{path}` | {what} |" for path, what in listed.items())
    assert table == listed, f"the table should be:\n{wanted}"


def is_inside_a_connector(path: str) -> bool:
    """A connector is one line: its modules are alike, and the folder is where to look."""
    return path.startswith("connectors/nof1_connectors/") and not path.endswith("/__init__.py")


def test_every_module_says_what_it_is() -> None:
    """No module is without a first line that ends as a sentence does."""
    assert [path for path, what in modules().items() if not what.endswith((".", "?"))] == []


def test_documents_name_no_machine() -> None:
    """Nothing in the project names a path of a developer's machine."""
    texts = [*ROOT.glob("*.md"), *(ROOT / "src").rglob("*.py"), *(ROOT / "connectors").rglob("*.md")]
    machine = re.compile(r"(?<![\w./])/(?:home|root|work|Users)/")
    assert [path.name for path in texts if machine.search(path.read_text())] == []


def test_the_readme_names_every_verdict() -> None:
    """The table of verdicts in the README has each verdict of the model once."""
    from typing import get_args

    from nof1.model.verdict import Verdict

    readme = (ROOT / "README.md").read_text().replace("_", " ").replace(",", "")
    assert [verdict for verdict in get_args(Verdict) if verdict.replace("_", " ") not in readme] == []


def commands_of_the_readme() -> list[str]:
    """Every command in a block or, with its words, between backticks; but those that leave words out."""
    blocks, prose = [], []
    for number, part in enumerate((ROOT / "README.md").read_text().split("```")):
        (blocks if number % 2 else prose).append(part)
    lines = re.findall(r"^nof1 .*$", "\n".join(blocks), re.MULTILINE)
    inline = re.findall(r"`(nof1 \w+ [^`]+)`", " ".join(prose).replace("\n", " "))
    return [line.split("#")[0].strip() for line in lines] + [line for line in inline if "..." not in line]


@pytest.mark.parametrize("line", commands_of_the_readme() if (ROOT / "README.md").exists() else [])
def test_a_command_in_the_readme_can_be_typed(line: str) -> None:
    """It is a command, its options and their values are understood, and nothing that it needs is missing."""
    import click

    from nof1.cli import main

    _, name, *words = shlex.split(line)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    command.make_context(name, words)
