"""What members see and press: the card, the result, the forms of tools, the list of jobs."""
