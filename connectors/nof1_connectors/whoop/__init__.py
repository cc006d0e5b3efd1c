"""WHOOP: the app's export, the API, and dumps of the app's own interface."""

from typing import Final

from nof1_connectors.whoop.connector import WhoopConnector

CONNECTOR: Final = WhoopConnector()
