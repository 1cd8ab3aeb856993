"""The time that tests wait for events that should be immediate."""

PATIENCE = 120.0  # seconds; the event comes within one unless the machine is busy
