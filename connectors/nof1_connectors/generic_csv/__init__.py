"""Any source at all, brought into nof1's own CSV: one row a night, or one row a stage."""

from typing import Final

from nof1_connectors.generic_csv.connector import GenericCsvConnector

CONNECTOR: Final = GenericCsvConnector()
