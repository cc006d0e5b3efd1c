"""Eight Sleep: responses of its web interface, as community tools save them."""

from typing import Final

from nof1_connectors.eight_sleep.connector import EightSleepConnector

CONNECTOR: Final = EightSleepConnector()
