"""The README's table of what can be imported is the connectors' own."""

from pathlib import Path

import pytest

from nof1.study.sources import COLUMNS, list_sources, matrix

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "checked by a test -->\n", "<!-- end of connectors -->"


def markdown() -> str:
    """The matrix as a Markdown table, each name linked to its README."""
    rows = [
        (f"[`{name}`](connectors/nof1_connectors/{name}/README.md)", *rest) for name, *rest in matrix(list_sources())
    ]
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


@pytest.mark.skipif(not README.exists(), reason="the built wheel is tested without the README")
def test_readme_shows_the_table_that_nof1_connectors_prints() -> None:
    """What the README says can be imported is what the installed connectors say of themselves."""
    shown = README.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown == markdown(), "The table between the markers should read:\n" + markdown()


def test_a_latency_that_only_a_rarity_tells_is_not_promised() -> None:
    """WHOOP's account export tells no time to fall asleep; dumps of its app do, which no reader here has met."""
    by_name = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in matrix(list_sources())}
    assert by_name["whoop"]["time to fall asleep"] == "cannot tell"
    assert by_name["whoop"]["seen"] == "partly"
    assert by_name["withings"]["time to fall asleep"] == "bed mark, own figure, a guess"
