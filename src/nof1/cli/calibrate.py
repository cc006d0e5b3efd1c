"""``nof1 calibrate``: how often is the method right?"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from nof1.cli.options import json_option, print_json
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.model.calibration import Cell
    from nof1.model.ranks import Ranks

SEED = 20261123
FEWEST = 10
"""Sampled trials; fewer have no band to speak of."""


@click.command(epilog="Example: nof1 calibrate --trials 100")
@click.option(
    "--trials", type=click.IntRange(10, 10_000), default=100, show_default=True, help="Simulated trials of each world."
)
@click.option(
    "--sampled",
    type=click.IntRange(0, 10_000),
    default=0,
    show_default=True,
    help="Simulated trials of each outcome whose posterior is sampled: each takes one to three seconds.",
)
@click.option("--all-worlds", is_flag=True, help="Also slow effects, loud periods: nothing is promised there.")
@json_option
def command(trials: int, sampled: int, *, all_worlds: bool, as_json: bool) -> None:
    """Say how often the method is right, by trials whose truth is known.

    Compares the engine's likelihood with a dense computation, ranks the truth among posteriors of trials drawn from the
    priors (of the exact engine, with --sampled of the sampled model too), and counts how many 95 % intervals hold the
    truth in many worlds, beside a t-test on nights, a paired t-test on period means and least squares with Newey-West
    errors. 100 trials take a minute or two on two cores, 1,000 ten times as long; the same number gives the same table.
    Ends with exit code 69 where a promise is missed by more than chance.
    """
    from nof1.cli.progress import working

    if 0 < sampled < FEWEST:
        raise click.BadParameter(f"{sampled} trials tell nothing: 0, or {FEWEST} and more.", param_hint="--sampled")
    with working("Calibrating") as tell:
        from nof1.model.calibration import oracle

        tell("likelihood")
        apart = oracle(trials=trials, seed=SEED)
        ranks = _ranks(trials, sampled, tell)
        cells = list(_cells(trials, tell, every=all_worlds))
    missed = _missed(apart, ranks, cells)
    if as_json:
        print_json(
            {
                "seed": SEED,
                "trials": trials,
                "sampled": sampled,
                "likelihood_apart": apart,
                "ranks": ranks,
                "cells": cells,
                "missed": missed,
            }
        )
    else:
        _say(apart, ranks, cells)
        _say_whether_kept(ranks, cells, missed)
    if missed:
        from nof1.errors import FitNotUsableError

        raise FitNotUsableError(f"{len(missed)} promises missed by more than chance: {'; '.join(missed)}.")


def _ranks(trials: int, sampled: int, tell: Callable[[str], None]) -> "list[Ranks]":
    from nof1.model.ranks import exact_ranks, judge
    from nof1.model.sampled_calibration import KINDS, sampled_ranks

    tell("ranks")
    found = exact_ranks(trials=trials, seed=SEED)
    for kind in KINDS if sampled else ():
        found += sampled_ranks(kind, trials=sampled, seed=SEED, progress=tell)
    tell("bands")
    return judge(found)


def _cells(trials: int, tell: Callable[[str], None], *, every: bool) -> "Iterator[Cell]":
    from nof1.model import calibration
    from nof1.model.workers import on_every_core

    worlds = calibration.worlds(every=every)
    tell(f"{len(worlds)} worlds")
    told = on_every_core(partial(calibration.coverage, trials=trials, seed=SEED), worlds)
    for place, cells in enumerate(told, start=1):
        tell(f"{place} of {len(worlds)} worlds done")
        yield from cells


def _missed(apart: float, ranks: "list[Ranks]", cells: "list[Cell]") -> list[str]:
    """Name every promise that was missed by more than chance; of the likelihood, by more than rounding."""
    from nof1.model.calibration import MOST_APART, misses

    # asked as `not (good)`, because a NaN is good for nothing
    likelihood = [] if apart <= MOST_APART else [f"log likelihood {apart:.1e} apart, at most {MOST_APART:.0e}"]
    return likelihood + [told for one in ranks for told in one.missed] + [told for one in cells for told in misses(one)]


def _say(apart: float, ranks: "list[Ranks]", cells: "list[Cell]") -> None:
    from nof1.cli.tables import print_table
    from nof1.model.ranks import INSIDE

    say(f"Log likelihood beside a dense multivariate normal: at most {apart:.1e} apart.\n")
    say(
        "Ranks of the truth, worlds drawn from the priors. If the method is right no ECDF leaves its band, with "
        f"{INSIDE:.0%} for\nall {len(ranks)} together (p: of a Kolmogorov-Smirnov test of each, for information):"
    )
    print_table(list(_row_of_ranks(ranks[0])), [list(_row_of_ranks(one).values()) for one in ranks])
    say("\nShares of 95 % intervals that hold the effect, and of trials that claim something:")
    print_table(list(_row(cells[0])), [list(_row(cell).values()) for cell in cells])


def _say_whether_kept(ranks: "list[Ranks]", cells: "list[Cell]", missed: list[str]) -> None:
    from nof1.model.calibration import promises

    held = sum(map(promises, cells))
    kept = f"{len(missed)} promises are missed by more than chance" if missed else "every promise is kept"
    say(
        f"\nThe likelihood, {len(ranks)} ranks and {held} of {len(cells)} rows are promised something: {kept}. Of the "
        "others nothing is promised; they are there to be known."
    )


def _row_of_ranks(one: "Ranks") -> dict[str, Any]:
    half, most, nearly_all = one.held
    return {
        "engine": one.engine,
        "outcome": one.outcome,
        "quantity": one.quantity,
        "trials": one.trials,
        "inside": "yes" if one.inside else "NO",
        "way to band": f"{one.reach:.0%}",
        "50 % hold": f"{half:.3f}",
        "90 % hold": f"{most:.3f}",
        "95 % hold": f"{nearly_all:.3f}",
        "p": f"{one.p:.3f}",
    }


def _row(cell: "Cell") -> dict[str, Any]:
    design, noise = cell.design, cell.noise
    return {
        "pairs x nights": f"{design.blocks} x 2 x {design.period_nights} ({design.transition_nights})",
        "rho": noise.rho,
        "period SD": noise.sigma_period,
        "missing": f"{noise.missing:.0%}",
        "tails": "normal" if noise.heavy_tails is None else f"t{noise.heavy_tails}",
        "builds up": noise.build_up_nights,
        "effect": cell.effect,
        "covered": f"{cell.covered:.3f}",
        "bias": f"{cell.bias:+.1f}",
        "better": f"{cell.better:.3f}",
        "worse": f"{cell.worse:.3f}",
        "no difference": f"{cell.no_difference:.3f}",
        "nightly t": f"{cell.nightly_t:.3f}",
        "paired t": f"{cell.paired_t:.3f}",
        "Newey-West": f"{cell.newey_west:.3f}",
    }
