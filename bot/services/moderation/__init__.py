"""What moderators decide about what members ask for."""
