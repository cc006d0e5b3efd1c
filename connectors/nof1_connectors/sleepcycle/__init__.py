"""Sleep Cycle: the sleepdata.csv that the app sends, in its four generations."""

from typing import Final

from nof1_connectors.sleepcycle.connector import SleepCycleConnector

CONNECTOR: Final = SleepCycleConnector()
