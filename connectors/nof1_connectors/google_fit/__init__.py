"""Google Fit: sleep sessions and segments of a Takeout."""

from typing import Final

from nof1_connectors.google_fit.connector import GoogleFitConnector

CONNECTOR: Final = GoogleFitConnector()
