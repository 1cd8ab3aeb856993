"""/jobs: a person's jobs, or for admins the server's."""
