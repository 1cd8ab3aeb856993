"""Let people fill in what a job needs before it starts: which tool, its inputs, its photo."""
