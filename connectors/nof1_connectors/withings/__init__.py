"""Withings: the account export, and responses of its API."""

from typing import Final

from nof1_connectors.withings.connector import WithingsConnector

CONNECTOR: Final = WithingsConnector()
