"""``nof1 analyse``: what did the treatment do?"""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.analysis import Analysis, QuickLook

COLUMNS = ("outcome", "difference", "median", "50 % interval", "95 % interval", "P(better)", "nights")
SPARE = ("50 % interval", "nights")
"""What a screen of 80 columns goes without: the sentences above and the page tell them."""


@click.command(epilog="Examples: nof1 analyse · nof1 analyse --schema > result.schema.json")
@study_option
@participant_option
@click.option("--quick", is_flag=True, help="By exact integration alone, in a moment; writes nothing.")
@click.option("--full", is_flag=True, help="The slow alternatives too: about two minutes the first time.")
@click.option(
    "--schema",
    is_flag=True,
    help="Print the JSON Schema of result.json, every number with its meaning, and end.",
)
@json_option
def command(
    study_path: Path | None, participant: str | None, quick: bool, full: bool, schema: bool, as_json: bool
) -> None:
    """Estimate what the treatment did, and how sure that is.

    Writes result.json (every number) and posterior.nc (the whole posterior). Refused before the planned end. Ends with
    exit code 69 when the primary outcome has no usable fit.

    With --quick, Gaussian outcomes are integrated exactly instead of sampled: the same numbers to about 0.03 SD, in a
    moment, without checks, alternatives or files; the exit code is the same.

    With --full three more models are fitted, and told beside the others: heavy tails for Gaussian outcomes, correlated
    nights for a latency, and deep sleep and latency together, which says how likely both are better. On two cores it
    takes about two minutes the first time, while the models are compiled, and half a minute more afterwards.
    """
    if schema:
        _print_schema()
        return
    if quick and full:
        from nof1.errors import UsageError

        raise UsageError("--quick leaves every alternative out and --full tries the slow ones too: one at a time.")
    if quick:
        _look(study_path, participant, as_json=as_json)
        return
    from nof1.cli.progress import working

    gc.disable()  # this process is short, and looking for cycles would be a tenth of its time
    with working(f"Analysing: {'up to two minutes' if full else 'about half a minute'}") as tell:
        from nof1.study.analysis import analyse

        analysis = analyse(opened(study_path), participant=participant, full=full, progress=tell)
    if as_json:
        print_json(analysis.result)
    else:
        _say(analysis)
    if not analysis.usable:
        from nof1.errors import FitNotUsableError

        raise FitNotUsableError(
            f"No claim is made on the primary outcome: {analysis.result['outcomes'][0]['why_not_usable']}"
        )


def _print_schema() -> None:
    import json

    from nof1.study.result_schema import result_schema

    say(json.dumps(result_schema(), indent=2, ensure_ascii=False))


def _look(study_path: Path | None, participant: str | None, *, as_json: bool) -> None:
    """Print the registered analysis of the Gaussian outcomes, exactly integrated.

    Raises
    ------
    FitNotUsableError
        No contrast of the primary outcome is usable: the whole analysis would say so too.
    """
    from nof1.study.analysis import quick_look

    looks = quick_look(opened(study_path), participant=participant)
    if as_json:
        print_json(looks)
    else:
        _say_looks(looks)
    primary = [look.told for look in looks if look.role == "primary"]
    if all(told is not None and told.why_not for told in primary):
        from nof1.errors import FitNotUsableError

        raise FitNotUsableError(f"No claim is made on the primary outcome: {primary[0] and primary[0].why_not}")


def _say_looks(looks: "list[QuickLook]") -> None:
    """Print the table, and below it why a row has no numbers: each reason once, by its number in the cell."""
    from nof1.cli.tables import print_table, screen_width

    reasons = list(dict.fromkeys(look.told.why_not for look in looks if look.told and look.told.why_not))
    print_table(
        ["outcome", "difference", "median", "95 % interval", "P(better)", "nights"],
        [_seen(one, reasons) for one in looks],
    )
    for number, reason in enumerate(reasons, start=1):
        say(click.wrap_text(f"({number}) {reason}", screen_width()))
    say("By exact integration, without the checks of a fit. For the result and its record: nof1 analyse")


def _seen(look: "QuickLook", reasons: list[str]) -> list[object]:
    from nof1.report.rounding import percent

    name = [look.label, f"{look.arm} − {look.reference}, {look.unit}"]
    if look.told is None:
        return [*name, "–", "only sampled: nof1 analyse", "–", "–"]
    effect, probability = look.told.effect, look.told.probability
    if look.told.why_not is not None or effect is None or probability is None:
        return [*name, "–", f"not usable ({reasons.index(look.told.why_not or '') + 1})", "–", look.told.nights]
    low, high = effect.ci95
    return [
        *name,
        f"{effect.median:+z.1f}",
        f"{low:+z.1f} to {high:+z.1f}",
        percent(probability.p_better),
        look.told.nights,
    ]


def _say(analysis: "Analysis") -> None:
    from nof1.cli.tables import print_table, screen_width, shows_only_ascii
    from nof1.report.lines import lines
    from nof1.report.terminal_plot import plot

    width = screen_width()
    for line in lines(analysis.result):
        say(click.wrap_text(line, width))
    rows = [_row(outcome) for outcome in analysis.result["outcomes"] if outcome["effect"]]
    if rows:
        click.echo()
        print_table(COLUMNS, rows, spare=SPARE)
        click.echo()
        for line in plot(analysis.result, width=width, ascii_only=shows_only_ascii()):
            say(line)
    say(f"\nWritten: {analysis.folder / 'result.json'} and posterior.nc. Next: nof1 report")


def _row(outcome: dict[str, Any]) -> list[object]:
    from nof1.report.rounding import percent

    effect = outcome["effect"]
    return [
        outcome["label"],
        f"{outcome['arm']} − {outcome['reference']}, {outcome['unit']}",
        f"{effect['median']:+z.1f}",
        f"{effect['ci50'][0]:+z.1f} to {effect['ci50'][1]:+z.1f}",
        f"{effect['ci95'][0]:+z.1f} to {effect['ci95'][1]:+z.1f}",
        percent(outcome["probability"]["p_better"]),
        outcome["nights"]["used"],
    ]
