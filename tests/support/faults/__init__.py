"""Faults over a realm in either layout, and the law that holds after each of them: `make faults`."""
