"""Sleep as Android: the sleep-export.csv of its backup."""

from typing import Final

from nof1_connectors.sleep_as_android.connector import SleepAsAndroidConnector

CONNECTOR: Final = SleepAsAndroidConnector()
