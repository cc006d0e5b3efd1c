"""The slow alternatives: models of their own, each compiled once, and sampled where somebody asks for them.

A Gaussian outcome gets heavy tails (`student`), a latency correlated nights (`latent`), and deep sleep and latency are
fitted together (`joint`). Each is sampled as long as the registered fit and held to the same checks; one that fails
them says so and tells nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from nof1.errors import FitNotUsableError
from nof1.model.design import AnalysisDesign
from nof1.model.joint import Joint, joint_account, not_joint
from nof1.model.latent import fit_latent_ar
from nof1.model.sensitivity import Alternative, drawn_row, not_told
from nof1.model.student import fit_heavy_tails
from nof1.trial.protocol import AnalysisRules

Progress = Callable[[str], None]

DEEP_SLEEP: Final = "deep_min"
"""What is fitted together with the first latency among the outcomes."""


def slow_alternatives(
    design: AnalysisDesign, rules: AnalysisRules, *, seed: int, progress: Progress
) -> dict[str, tuple[Alternative, ...]]:
    """Analyse one outcome by the slow alternative that its family has.

    Returns
    -------
    dict
        By `Contrast.name`.
    """
    if design.measure.family == "lognormal":
        name, fit, told = "latent_ar", fit_latent_ar, "with correlated nights"
    else:
        name, fit, told = "heavy_tails", fit_heavy_tails, "with heavy tails"
    progress(f"trying {design.measure.label} {told}")
    try:
        flat = fit(design, seed=seed).stack(sample=("chain", "draw"))
    except FitNotUsableError as error:
        return {contrast.name: (not_told(name, design, str(error)),) for contrast in design.contrasts}
    return {contrast.name: (drawn_row(name, design, flat, contrast, rules),) for contrast in design.contrasts}


def joint_of(
    designs: Sequence[AnalysisDesign], failed: Mapping[str, str], *, seed: int, progress: Progress
) -> Joint | None:
    """Fit deep sleep and latency together; None where the trial does not have both.

    Parameters
    ----------
    failed
        Why an outcome has no usable fit of its own, by its measure: then it has none together with another either.
    """
    deep = next((one for one in designs if one.measure.name == DEEP_SLEEP), None)
    latency = next((one for one in designs if one.measure.family == "lognormal"), None)
    if deep is None or latency is None:
        return None
    why_not = failed.get(deep.measure.name) or failed.get(latency.measure.name)
    if why_not:
        return not_joint(deep, latency, why_not)
    progress(f"trying {deep.measure.label} and {latency.measure.label} together")
    return joint_account(deep, latency, seed=seed)
