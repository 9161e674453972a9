"""The whole product against a real API server and the real operator: `make e2e`."""
