"""Read what an interaction or a message tells: permissions, the member, pictures, emoji."""
