"""Draws from a compiled density with nutpie's NUTS: how many, with which steps, and how they are read.

nutpie's own reader makes an xarray variable of every parameter and statistic, twice: a tenth of the time that one
person takes. Here its Arrow batches are read as they are.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.callbacks import POINT, CompiledDensity

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

DRAWS: Final = 1_000
TUNE: Final = 300
"""nutpie adapts from gradients, in few draws: of 300 sound trials seven needed a second fit, and none failed twice."""
CHAINS: Final = 4
TARGET_ACCEPT: Final = 0.85
"""Small steps: period and weekday effects with few periods make a funnel."""
CAREFUL_ACCEPT: Final = 0.99
"""Smaller steps still, for the one new attempt that a fit with divergences gets; the gate then judges that one."""
LONG_DRAWS, LONG_TUNE, LONG_ACCEPT = 4_000, 1_000, 0.95
"""Of the one new attempt that a fit gets which failed any check."""

STATISTICS: Final = ("diverging", "energy", "logp", "depth", "maxdepth_reached", "n_steps", "step_size")
"""What is kept of the sampler's own statistics."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What came of sampling.

    Parameters
    ----------
    draws
        (chain, draw, …) by variable, on the scale on which the sampler moves.
    stats
        `STATISTICS` (chain, draw).
    """

    draws: Mapping[str, Floats]
    stats: "xr.Dataset"

    @property
    def diverged(self) -> bool:
        """Whether any step of any chain left the posterior."""
        return bool(self.stats["diverging"].any())


@dataclass(frozen=True, slots=True)
class Sampling:
    """Chains that run in threads of their own."""

    compiled: CompiledDensity
    chains: Any

    def wait(self) -> Sampled:
        """Wait for the end and read what came."""
        import pyarrow as pa
        import xarray as xr

        batches = [[pa.record_batch(batch) for batch in group] for group in self.chains.wait().get_arrow_trace()]
        tuned = [batch["tuning"].to_numpy(zero_copy_only=False).sum() for batch in batches[1]]
        points, stats = ([batch.slice(begin) for batch, begin in zip(group, tuned, strict=True)] for group in batches)
        flat = np.stack([batch[POINT].flatten().to_numpy().reshape(len(batch), -1) for batch in points])
        read = {
            name: (("chain", "draw"), np.stack([batch[name].to_numpy(zero_copy_only=False) for batch in stats]))
            for name in STATISTICS
        }
        coords = {"chain": np.arange(flat.shape[0]), "draw": np.arange(flat.shape[1])}
        return Sampled(self.compiled.by_variable(flat), xr.Dataset(read, coords))


def begin(
    compiled: CompiledDensity,
    vector: Floats,
    matrix: Floats,
    *,
    start: Mapping[str, Floats],
    seed: int,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    target_accept: float = TARGET_ACCEPT,
) -> Sampling:
    """Start sampling; see `CompiledDensity.with_data` for what is sampled from where.

    Parameters
    ----------
    seed
        The same seed, data and versions give the same draws.
    """
    sampler = _nutpie().sample(
        compiled.with_data(vector, matrix, start=start),
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=target_accept,
        progress_bar=False,
        save_warmup=False,
        return_raw_trace=True,
        blocking=False,
    )
    return Sampling(compiled, sampler)


def _nutpie() -> Any:
    """Import nutpie without ArviZ's plots.

    nutpie imports all of ArviZ, Matplotlib included, which takes seconds, and uses two functions of it that
    `arviz_base` has. While it is imported for the first time they stand in for ArviZ; who imports ArviZ afterwards gets
    the whole of it.
    """
    if "nutpie" not in sys.modules and "arviz" not in sys.modules:
        import arviz_base

        stand_in: Any = ModuleType("arviz")
        stand_in.from_dict, stand_in.dict_to_dataset = arviz_base.from_dict, arviz_base.dict_to_dataset
        sys.modules["arviz"] = stand_in
        try:
            import nutpie
        finally:
            del sys.modules["arviz"]
    import nutpie

    return nutpie
