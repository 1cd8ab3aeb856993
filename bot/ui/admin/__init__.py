"""Show a server's admins their panels, forms and notices."""
