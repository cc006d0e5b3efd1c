"""Samsung Health: the tables of "Download personal data"."""

from typing import Final

from nof1_connectors.samsung.connector import SamsungConnector

CONNECTOR: Final = SamsungConnector()
