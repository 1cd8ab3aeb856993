"""What changes a job's state and its money in one transaction, for services and engine alike."""
