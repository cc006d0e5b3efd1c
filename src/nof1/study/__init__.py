"""The use cases: each one function that joins the rooms below, and says what it did in a value."""
