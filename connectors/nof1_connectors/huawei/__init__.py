"""Huawei Health: the archive of the privacy centre."""

from typing import Final

from nof1_connectors.huawei.connector import HuaweiConnector

CONNECTOR: Final = HuaweiConnector()
