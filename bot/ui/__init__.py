"""Show what people see and press: progress, results, panels, forms, buttons."""
