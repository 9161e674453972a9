"""What several tests need: realm files made by the real sops, and the real server in a process of its own."""
