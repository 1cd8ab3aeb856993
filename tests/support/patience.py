"""How long the tests wait for what should happen at once."""

PATIENCE = 120.0  # seconds; what is waited for comes within one, unless the machine is busy with other work
