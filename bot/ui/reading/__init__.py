"""Read what an interaction or a message tells: permissions, the member, pictures, emoji."""

LOOKUP_TIMEOUT = 1.5  # seconds; Discord expects the first answer within 3
