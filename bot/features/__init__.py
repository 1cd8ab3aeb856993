"""Features that servers and members set up: rows with their rules, as functions of a session."""
