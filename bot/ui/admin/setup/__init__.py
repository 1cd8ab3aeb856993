"""`/studii setup`: what is set, what is missing, and the next step."""
