"""The plot of the terminal shows each interval where the numbers are, at any width, in any encoding."""

from typing import Any

import pytest

from nof1.report.terminal_plot import ASCII, UNICODE, plot


def effect(low: float, quarter: float, median: float, three: float, high: float) -> dict[str, Any]:
    """An effect as result.json tells it."""
    return {"median": median, "ci50": [quarter, three], "ci95": [low, high]}


def shown(make: Any, told: dict[str, Any], **how: Any) -> tuple[str, str]:
    """The bar and the axis of a result whose only effect is this one."""
    result, _ = make("benefit")
    result["outcomes"] = result["outcomes"][:1]
    result["outcomes"][0]["effect"] = told
    _, bar, axis, _ = plot(result, **how)
    return bar, axis


@pytest.mark.parametrize("width", [60, 80, 120])
def test_each_end_stands_where_its_number_is(make: Any, width: int) -> None:
    """Median, ends and zero are as far apart as their values, to half a character."""
    bar, axis = shown(make, effect(-5, 4, 8, 12, 20), width=width)
    zero, median = axis.index("0", axis.index("−") + 3), bar.index(UNICODE.median)
    line = bar.replace(UNICODE.worthwhile, " ").strip()
    first, last = bar.index(line[0]), len(bar.rstrip()) - 1
    per_minute = (last - first) / 25
    assert median - first == pytest.approx(13 * per_minute, abs=1)
    assert zero - first == pytest.approx(5 * per_minute, abs=1)
    assert bar[zero] == UNICODE.crossed
    assert bar.count(UNICODE.fifty) == pytest.approx(8 * per_minute, abs=2)


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("width", [20, 60, 80])
def test_no_line_is_longer_than_the_terminal(make: Any, width: int, scale: float) -> None:
    """Tiny and huge effects, far from zero or over it, fit; and there is always a median."""
    result, _ = make("benefit")
    for one in result["outcomes"]:
        one["effect"] = effect(*(scale * value for value in (3, 6, 8, 9, 11)))
    lines = plot(result, width=width)
    assert max(map(len, lines)) <= width
    assert sum(UNICODE.median in line for line in lines) >= len(result["outcomes"])


def test_without_unicode_it_is_ascii(make: Any) -> None:
    """Where nothing else can be written the same bar is drawn of dashes, with a minus that is one."""
    bar, axis = shown(make, effect(-5, 4, 8, 12, 20), width=60, ascii_only=True)
    drawn, _ = shown(make, effect(-5, 4, 8, 12, 20), width=60)
    assert bar == drawn.translate(str.maketrans("".join(UNICODE), "".join(ASCII)))
    assert (bar + axis).isascii()
    assert axis.startswith("-")


def test_what_may_not_be_used_is_not_drawn(make: Any) -> None:
    """A fit that failed leaves no bar."""
    result, _ = make("not_usable")
    for one in result["outcomes"]:
        one["effect"] = None
    assert plot(result, width=80) == []
