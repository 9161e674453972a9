"""What a review looks for, a subject a module: each gives the findings of a `Change`."""
