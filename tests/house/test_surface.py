"""The public surface: what ``import nof1`` gives, and what the wheel holds."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import nof1

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_every_public_name_loads_and_has_a_docstring() -> None:
    """Each name of ``__all__`` is there, sorted and documented; no other name is."""
    assert sorted(nof1.__all__) == dir(nof1)
    for name in nof1.__all__:
        thing = getattr(nof1, name)
        assert name == "MEASURES" or thing.__doc__, name
    with pytest.raises(AttributeError, match="nothing"):
        nof1.nothing  # noqa: B018


def test_type_checkers_see_the_names_that_load() -> None:
    """The names imported for type checkers, the lazy ones and ``__all__`` are the same, from the same modules."""
    tree = ast.parse(Path(str(nof1.__file__)).read_text())
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("nof1.")
        for alias in node.names
    }
    assert seen == nof1._HOMES
    assert set(seen) == set(nof1.__all__)


@pytest.mark.parametrize("module", ["nof1", "nof1.cli"])
def test_starting_pays_for_nothing_heavy(module: str) -> None:
    """``import nof1`` and the help page load no polars, PyMC, Altair or rich."""
    code = (
        f"import sys, {module}; print(*[m for m in ('polars', 'numpy', 'pymc', 'altair', 'rich') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


def test_heavy_libraries_stay_in_their_rooms() -> None:
    """click lives in ``cli``, PyMC in ``model``, Altair in ``report``, age in ``store``, SQLite in two rooms."""
    homes = {
        "click": {"cli"},
        "rich": {"cli"},
        "pymc": {"model"},
        "nutpie": {"model"},
        "altair": {"report"},
        "pyrage": {"store"},
        "sqlite3": {"store", "connect"},
    }
    source = Path(str(nof1.__file__)).parent
    strays = [
        (path.name, name)
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if (rooms := homes.get(name.split(".")[0])) and path.relative_to(source).parts[0] not in rooms
    ]
    assert strays == []


@pytest.mark.skipif(not EXAMPLES, reason="the checkout is not here")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    """Each example runs as it stands, and ends with a page."""
    ran = subprocess.run([sys.executable, example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "report.html" in ran.stdout


@pytest.mark.skipif("NOF1_WHEEL" in os.environ, reason="this is the wheel")
def test_the_wheel_holds_what_git_knows(tmp_path: Path) -> None:
    """The wheel has every file of the three roots that git knows, and no other."""
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    roots = ["src/nof1", "connectors/nof1_connectors", "protocols/nof1_protocols"]
    known = subprocess.run(["git", "ls-files", *roots], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert held == {name.split("/", 1)[1] for name in known.splitlines() if (ROOT / name).exists()}


def test_the_version_is_the_package_s() -> None:
    """``nof1 --version`` and the metadata agree."""
    from importlib.metadata import version

    ran = subprocess.run([sys.executable, "-m", "nof1", "--version"], capture_output=True, text=True, check=True)
    assert version("nof1") in ran.stdout
