"""A style saved from one picture of a set shows that picture."""
