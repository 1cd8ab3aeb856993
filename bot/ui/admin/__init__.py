"""What a server's admins see and press."""
