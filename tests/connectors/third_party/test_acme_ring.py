"""A connector in a package of somebody else's: installed beside nof1, and found by its entry point."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONTRIBUTING = HERE.parents[2] / "CONTRIBUTING.md"
MODULE = HERE / "acme_ring" / "acme_ring" / "__init__.py"

pytestmark = pytest.mark.skipif(shutil.which("uv") is None, reason="uv, which makes environments, is not here")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment that sees this one's packages, with acme_ring installed into it alone."""
    home = tmp_path_factory.mktemp("environment")
    source = shutil.copytree(HERE / "acme_ring", home / "acme_ring")  # building writes beside the source
    run("uv", "venv", "--quiet", "--python", sys.executable, home / "venv")
    python = home / "venv" / "bin" / "python"
    found = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    here = sysconfig.get_path("purelib")
    Path(found, "nof1_of_the_tests.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    options = ("--quiet", "--offline", "--no-deps", "--no-build-isolation")  # nothing is downloaded
    run("uv", "pip", "install", *options, "--python", python, source)
    return python


def run(*words: str | Path, cwd: Path | None = None) -> str:
    """Run a command that must succeed, away from the settings of this environment; give what it printed."""
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PYTHON", "VIRTUAL_", "NOF1_"))
    }
    ran = subprocess.run(words, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_its_nights_are_imported_like_any_others(python: Path, tmp_path: Path) -> None:
    """`nof1 import ring.txt` takes the good nights into a study and says why the bad line was not taken."""
    run(python, "-m", "nof1", "init", "study", "--zone", "Europe/Berlin", cwd=tmp_path)
    summary = json.loads(
        run(python, "-m", "nof1", "import", HERE / "ring.txt", "--study", "study", "--json", cwd=tmp_path)
    )
    (file,) = summary["files"]
    assert (file["connector"], file["because"]) == ("acme_ring", "ring.txt holds the line ACME RING 2")
    assert (summary["read"], summary["accepted"], summary["rejected"]) == (3, 2, 1)
    assert file["rejected_records"] == [{"record": "ring.txt line 4", "reason": "'yesterday' is not a time"}]
    nights = json.loads(run(python, "-m", "nof1", "nights", "--study", "study", "--json", cwd=tmp_path))
    assert [(night["night"], night["sol_min"], night["deep_min"]) for night in nights] == [
        ("2025-03-10", 10, 60),
        ("2025-03-11", 5, 50),
    ]


def test_its_readme_tells_a_patient_how_to_get_the_export(python: Path) -> None:
    """`nof1 connectors acme_ring` prints the steps that the package brings."""
    assert "Share my nights" in run(python, "-m", "nof1", "connectors", "acme_ring")


def test_this_environment_does_not_know_it() -> None:
    """Installing the plugin into an environment of its own leaves this one as it was."""
    from nof1.connect.registry import find_connectors

    assert "acme_ring" not in find_connectors()


@pytest.mark.skipif(not CONTRIBUTING.exists(), reason="the built wheel is tested without the documents")
def test_the_listing_in_the_documents_is_the_module() -> None:
    """What CONTRIBUTING.md shows as a whole connector is the one that is tested here, letter by letter."""
    assert f"```python\n{MODULE.read_text()}```\n" in CONTRIBUTING.read_text()
