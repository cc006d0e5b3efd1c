"""Garmin: the account archive, Garmin Connect's daily sleep, and the watch's own sleep files."""

from typing import Final

from nof1_connectors.garmin.connector import GarminConnector

CONNECTOR: Final = GarminConnector()
