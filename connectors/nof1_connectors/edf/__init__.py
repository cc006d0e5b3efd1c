"""EDF+: hypnograms of sleep laboratories, as annotations."""

from typing import Final

from nof1_connectors.edf.connector import EdfConnector

CONNECTOR: Final = EdfConnector()
