"""Show what people see and press: cards, results, panels, forms, buttons."""
