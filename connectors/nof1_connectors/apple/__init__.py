"""Apple Health."""

from typing import Final

from nof1_connectors.apple.connector import AppleHealthConnector

CONNECTOR: Final = AppleHealthConnector()
