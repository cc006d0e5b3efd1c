"""The study folder on disk: where things are, the record of events, the Parquet of sleep sessions."""
