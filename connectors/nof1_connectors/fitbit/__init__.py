"""Fitbit and Google Health: Takeout archives and Web API responses."""

from typing import Final

from nof1_connectors.fitbit.connector import FitbitConnector

CONNECTOR: Final = FitbitConnector()
