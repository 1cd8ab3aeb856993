"""The changes of a job's state and its credits, each in one transaction, for services and engine."""
