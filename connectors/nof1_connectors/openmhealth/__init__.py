"""Open mHealth: sleep episodes of the schema omh:sleep-episode, as Shimmer and others write them."""

from typing import Final

from nof1_connectors.openmhealth.connector import OpenMHealthConnector

CONNECTOR: Final = OpenMHealthConnector()
