"""The audit log as it is read: its fields, its chains, and the questions that it answers.

`server` writes the lines; what both have in common (`fields`, `chain`, `key`) is here, and imports nothing of
the server.
"""
