"""Oura: responses of its API, first and second version, and the account export."""

from typing import Final

from nof1_connectors.oura.connector import OuraConnector

CONNECTOR: Final = OuraConnector()
