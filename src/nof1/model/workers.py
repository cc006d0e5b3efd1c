"""Work that falls into independent pieces, on every core: processes of their own, told in the order of the pieces."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import starmap
from typing import Any


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_every_core[Result](
    work: Callable[..., Result], pieces: Sequence[tuple[Any, ...]], *, workers: int | None = None
) -> Iterator[Result]:
    """Do the pieces, and give each result in its turn; what comes out does not depend on the number of workers.

    Parameters
    ----------
    work
        A function of a module, or a `functools.partial` of one: other processes import it.
    pieces
        The arguments of every call.
    workers
        By default one a core; with one, or one piece, everything happens in this process.

    Notes
    -----
    An interrupt ends the workers too. They are started afresh instead of forked: threads do not survive a fork.
    """
    count = min(workers or cores(), len(pieces))
    if count <= 1:
        yield from starmap(work, pieces)
        return
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_end_at_interrupt)
    try:
        yield from pool.map(work, *zip(*pieces, strict=True))
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_at_interrupt() -> None:
    """Leave it to the process that was typed to say what an interrupt means: a worker ends without a word."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
