"""Zeo headband: the CSV of myZeo, which outlived the company."""

from typing import Final

from nof1_connectors.zeo.connector import ZeoConnector

CONNECTOR: Final = ZeoConnector()
