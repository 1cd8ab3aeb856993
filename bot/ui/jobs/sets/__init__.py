"""Show members their sets: several photos that were asked for together."""
