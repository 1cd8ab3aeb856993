"""What is filled in before a job starts: which tool, its inputs, its photo."""
