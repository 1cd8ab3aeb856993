"""Show members their jobs: progress, the result, the forms of tools, the list of jobs."""
