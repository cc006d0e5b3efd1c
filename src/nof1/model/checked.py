"""Fits together with their checks: one that fails any of them is made once more, longer, and judged by that.

Of sound trials one in forty fails by the luck of its draws; what is wrong with a model or its nights fails again.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nof1.model.design import AnalysisDesign
from nof1.model.diagnose import Diagnostics, diagnose
from nof1.model.nuts import Progress, fit, refit, width_of

if TYPE_CHECKING:
    import xarray as xr


def fit_checked(
    designs: Sequence[AnalysisDesign], *, seed: int, progress: Progress | None = None
) -> dict[str, tuple["xr.DataTree", Diagnostics]]:
    """Fit every design and check each fit.

    Returns
    -------
    dict
        Measure → the tree that counts, as `nuts.fit` makes it, and its checks; `Diagnostics.draws` says whether it is
        the second.

    Raises
    ------
    FitNotUsableError, DataError
        As `nuts.fit`. A fit that fails its checks twice is no error: the checks say so.
    """
    trees = fit(designs, seed=seed, progress=progress)
    found = {}
    for design in designs:
        tree = trees[design.measure.name]
        checks = diagnose(design, tree)
        if not checks.usable:
            if progress is not None:
                progress(f"sampling {design.measure.label} again, longer: a check failed")
            tree = refit(design, width=width_of(designs), seed=seed)
            checks = diagnose(design, tree)
        found[design.measure.name] = tree, checks
    return found
