"""Describe how results of a set are shown together, and the best ones."""
