"""Show members their jobs: the card, the result, the forms of tools, the list of jobs."""
