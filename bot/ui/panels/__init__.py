"""Controls that work after any restart, and the panels of settings that are made of them."""
