"""Files that were built to hold up or to fill up whoever opens them."""
