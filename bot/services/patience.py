"""How long whoever sent a command waits for their turn in the database."""

PATIENCE = 2.0  # seconds; Discord wants its answer within 3
