"""Let moderators decide about what members ask for."""
