"""Gadgetbridge: the database of the free app, with nights of Xiaomi, Garmin, CMF and Colmi devices."""

from typing import Final

from nof1_connectors.gadgetbridge.connector import GadgetbridgeConnector

CONNECTOR: Final = GadgetbridgeConnector()
