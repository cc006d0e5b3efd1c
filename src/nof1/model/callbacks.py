"""A PyMC model's density as the C callbacks that nutpie samples from, ready in a second.

`nutpie.compile_pymc_model` compiles PyTensor's function anew in every process, inlined into two callbacks of its own:
ten seconds and more, most of an analysis. PyTensor keeps that same function compiled on disk. Here a callback of a few
lines calls it by its address, so that only those lines are compiled. Draws are kept on the scale on which the sampler
moves them, the unconstrained one; `nuts` turns them back.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MATRIX: Final = 2
POINT: Final = "point"
"""What nutpie calls a draw: all variables, one after the other."""
NOT_FINITE: Final = 3
"""What tells nutpie that a step left the density's support: a divergence, not an error."""


@dataclass(frozen=True, slots=True)
class CompiledDensity:
    """Log density and gradient of a PyMC model whose data can be exchanged.

    Parameters
    ----------
    function
        PyTensor's function (point → log density, gradient); it must live as long as its address is used.
    vector_size, columns
        The lengths that the data must have: the callback reads raw memory.
    names, shapes
        The unconstrained variables, in the order in which they stand in a flat point.
    density, expand
        The C callbacks: log density with gradient; the point itself, which is all that is kept.
    """

    function: Any
    vector_size: int
    columns: int
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    density: Any
    expand: Any

    @property
    def size(self) -> int:
        """Length of a flat point."""
        return sum(math.prod(shape) for shape in self.shapes)

    def with_data(self, vector: Floats, matrix: Floats, *, start: Mapping[str, Floats]) -> Any:
        """Give the model its data, as an object that `nutpie.sample` takes.

        Parameters
        ----------
        vector, matrix
            New values of the two `pm.Data` that `compile_density` was told of; the matrix may have any number of rows.
        start
            Where to begin, by variable; each chain begins within ±1 of it in every direction, which is PyMC's jitter.
        """
        from nutpie.compile_pymc import CompiledPyMCModel

        if vector.shape != (self.vector_size,) or matrix.ndim != MATRIX or matrix.shape[1] != self.columns:
            raise AssertionError(f"data of shapes {vector.shape} and {matrix.shape} do not fit the compiled model")
        centre = np.concatenate([np.ravel(start[name]) for name in self.names])

        def jittered(seed: int | None) -> Floats:
            return np.asarray(centre + np.random.default_rng(seed).uniform(-1.0, 1.0, self.size))

        return CompiledPyMCModel(
            dims={},
            compiled_logp_func=self.density,
            compiled_expand_func=self.expand,
            initial_point_func=jittered,
            shared_data={},
            shared_var_keys={},
            user_data=np.concatenate([[float(len(matrix))], vector, np.ravel(matrix)]),
            n_expanded=self.size,
            shape_info=([POINT], [slice(0, self.size)], [(self.size,)]),
            logp_func=self.function,
            expand_func=None,
            reparameterized_names=[],  # nothing is: everything is kept on the scale of the sampler
            _n_dim=self.size,
            _shapes={POINT: (self.size,)},
            _coords={"unconstrained_parameter": np.arange(self.size)},
        )

    def by_variable(self, points: Floats) -> dict[str, Floats]:
        """Divide flat points (…, size) among the variables: (…, shape of each) by name."""
        ends = list(accumulate(math.prod(shape) for shape in self.shapes))
        parts = np.split(points, ends[:-1], axis=-1)
        shaped = zip(self.names, parts, self.shapes, strict=True)
        return {name: part.reshape(*points.shape[:-1], *shape) for name, part, shape in shaped}


def compile_density(model: Any, data_names: tuple[str, str]) -> CompiledDensity:
    """Compile a PyMC model's log density.

    Parameters
    ----------
    model
        A `pymc.Model` whose only data are a vector and a matrix.
    data_names
        Their names: the vector's, then the matrix's.
    """
    variables = {value.name: tuple(value.type.shape) for value in model.continuous_value_vars}
    # The point is a pattern of names and shapes, no more; where it is left out PyMC compiles functions to make one.
    pattern = {name: np.zeros(shape) for name, shape in variables.items()}
    function = model.logp_dlogp_function(ravel_inputs=True, initial_point=pattern, mode="NUMBA")._pytensor_function
    shared = {value.name: value.get_value() for value in function.get_shared()}
    if set(shared) != set(data_names):
        raise AssertionError(f"the model's data are {list(shared)}, not {list(data_names)}")
    size = sum(math.prod(shape) for shape in variables.values())
    function.vm.jit_fn(np.zeros(size), *shared.values())  # compiles, or loads what an earlier process compiled
    vector, matrix = (shared[name] for name in data_names)
    density = _density_callback(
        function.vm.jit_fn,
        size=size,
        vector_size=vector.size,
        columns=matrix.shape[1],
        vector_first=next(iter(shared)) == data_names[0],
    )
    return CompiledDensity(
        function=function,
        vector_size=vector.size,
        columns=matrix.shape[1],
        names=tuple(variables),
        shapes=tuple(variables.values()),
        density=density,
        expand=_copying_callback(size),
    )


def _by_address(dispatcher: Any) -> Any:
    """A jitted function that Numba calls by its address, and does not compile into its caller."""
    from numba.core import types

    (compiled,) = dispatcher.overloads.values()
    address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)

    class ByAddress(types.WrapperAddressProtocol):
        def __wrapper_address__(self) -> int:
            return int(address)

        def signature(self) -> Any:
            return compiled.signature

    return ByAddress()


def _density_callback(dispatcher: Any, *, size: int, vector_size: int, columns: int, vector_first: bool) -> Any:
    """Make the callback (dim, point, gradient out, value out, data) -> 0, or `NOT_FINITE`."""
    import numba
    from numba import types

    inner = _by_address(dispatcher)
    doubles = types.CPointer(types.double)

    @numba.njit(inline="always")  # type: ignore[untyped-decorator]
    def in_order(point: Any, vector: Any, matrix: Any) -> Any:
        return (point, vector, matrix)

    @numba.njit(inline="always")  # type: ignore[untyped-decorator]
    def swapped(point: Any, vector: Any, matrix: Any) -> Any:
        return (point, matrix, vector)

    arranged = in_order if vector_first else swapped

    def density(_: Any, point: Any, gradient: Any, value: Any, user_data: Any) -> int:
        rows = int(numba.carray(user_data, (1,), np.float64)[0])
        data = numba.carray(user_data, (1 + vector_size + rows * columns,), np.float64)
        vector, matrix = data[1 : 1 + vector_size], data[1 + vector_size :].reshape(rows, columns)
        log_density, slope = inner(arranged(numba.carray(point, (size,)), vector, matrix))
        numba.carray(value, (1,))[0] = log_density[()]
        told = numba.carray(gradient, (size,))
        fine = np.isfinite(log_density[()])
        for index in range(size):  # array expressions would take seconds to compile
            told[index] = slope[index]
            fine = fine and np.isfinite(slope[index])
        return 0 if fine else NOT_FINITE

    return numba.cfunc(types.int64(types.uint64, doubles, doubles, doubles, types.voidptr))(density)


def _copying_callback(size: int) -> Any:
    """Make the callback (dim, size, point, kept out, data) -> 0 that keeps the point as it is."""
    import numba
    from numba import types

    doubles = types.CPointer(types.double)

    def copy(_: Any, __: Any, point: Any, kept: Any, ___: Any) -> int:
        source, target = numba.carray(point, (size,)), numba.carray(kept, (size,))
        for index in range(size):
            target[index] = source[index]
        return 0

    return numba.cfunc(types.int64(types.uint64, types.uint64, doubles, doubles, types.voidptr))(copy)
