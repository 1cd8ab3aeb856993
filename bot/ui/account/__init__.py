"""Show members their own account: their credits, how to ask for more, and what of them is kept and shown."""
