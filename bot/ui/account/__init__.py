"""Show members their own account: their credits, how to ask for more, and what is stored of them."""
