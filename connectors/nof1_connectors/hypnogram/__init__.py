"""Hypnograms as plain text: one stage a line, or the events that RemLogic writes."""

from typing import Final

from nof1_connectors.hypnogram.connector import HypnogramConnector

CONNECTOR: Final = HypnogramConnector()
