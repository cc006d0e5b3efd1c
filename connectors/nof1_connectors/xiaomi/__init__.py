"""Xiaomi: exports of Mi Fitness, and of Zepp, Zepp Life and Mi Fit."""

from typing import Final

from nof1_connectors.xiaomi.connector import XiaomiConnector

CONNECTOR: Final = XiaomiConnector()
