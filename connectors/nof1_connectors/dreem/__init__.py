"""Dreem headband: the CSV of the web site, which OSCAR reads too."""

from typing import Final

from nof1_connectors.dreem.connector import DreemConnector

CONNECTOR: Final = DreemConnector()
