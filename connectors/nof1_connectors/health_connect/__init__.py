"""Health Connect: the database that an Android phone exports."""

from typing import Final

from nof1_connectors.health_connect.connector import HealthConnectConnector

CONNECTOR: Final = HealthConnectConnector()
