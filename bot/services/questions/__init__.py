"""Questions: to a person before a job starts."""
