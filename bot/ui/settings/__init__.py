"""The settings of a server, a module a topic."""
