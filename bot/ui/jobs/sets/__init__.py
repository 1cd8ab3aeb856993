"""What members see and press of sets: several photos that were asked for together."""
