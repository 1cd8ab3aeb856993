"""Many people at the same moment: see `__main__`."""
