"""Each written export once, for all tests of the connectors."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dataframely as dy
import pytest
from tests.connectors.nights import SLEPT, ZONE

from nof1.connect.connector import Imported
from nof1.sleep.assembly import assemble_nights
from nof1.sleep.nights import Nights

if TYPE_CHECKING:  # the writers are loaded by the tests that need them: a broken one must not stop the others
    from tests.connectors.written import Packed

type Exported = Callable[..., Path]
type Unpacked = Callable[[str], "Packed"]
type ReadBack = Callable[..., Imported]
type NightsTold = Callable[..., dy.DataFrame[Nights]]


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Give the path of a written export by its name, and the zone in which its nights were slept."""
    from tests.connectors.written import ALL_WRITTEN

    written = cache(lambda name, zone: ALL_WRITTEN[name].write(SLEPT[zone], tmp_path_factory.mktemp(name)))
    return lambda name, zone=ZONE: written(name, zone)


@pytest.fixture(scope="session")
def packed(exported: Exported) -> Unpacked:
    """Give a written export taken apart, by its name."""
    from tests.connectors.written import unpack

    return cache(lambda name: unpack(exported(name)))


@pytest.fixture(scope="session")
def read_back(exported: Exported) -> ReadBack:
    """Give what comes back from a written export, by its name, its zone and the zone that is stated: its own."""
    from tests.connectors.written import ALL_WRITTEN, OPTIONS, read_all

    @cache
    def read(name: str, zone: str, stated: str) -> Imported:
        return read_all(exported(name, zone), replace(OPTIONS, zone=stated))[ALL_WRITTEN[name].connector]

    return lambda name, zone=ZONE, *, stated=None: read(name, zone, stated or zone)


@pytest.fixture(scope="session")
def nights_told(read_back: ReadBack) -> NightsTold:
    """Give the nights that a written export tells, by its name, a source of latency, and the zone."""
    told = cache(lambda name, source, zone: assemble_nights(read_back(name, zone).sessions, latency_source=source))
    return lambda name, source, zone=ZONE: told(name, source, zone)
