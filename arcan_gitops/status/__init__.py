"""What a server says of itself, as it is asked for and shown. `server` makes it."""
