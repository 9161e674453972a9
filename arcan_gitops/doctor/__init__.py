"""Why a Kubernetes Secret is not what it should be.

- `dialling` and `chain`: how far a connection comes, and which link of a server's certificates is wrong.
"""
