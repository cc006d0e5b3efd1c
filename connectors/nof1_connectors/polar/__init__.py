"""Polar: the Flow account's download, and AccessLink responses."""

from typing import Final

from nof1_connectors.polar.connector import PolarConnector

CONNECTOR: Final = PolarConnector()
