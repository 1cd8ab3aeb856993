"""Keep the cards of jobs up to date, from the first to the removal."""
