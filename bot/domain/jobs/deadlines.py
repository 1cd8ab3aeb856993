"""Periods that the engine keeps to and that sentences name."""

LOST_AFTER_DAYS = 7  # a job that runs for so long ends
UNRULED_DAYS = 30  # an unknown outcome then counts as charged
KEPT_DAYS = 30  # an output that could not be posted, or was withheld, is kept for so long
