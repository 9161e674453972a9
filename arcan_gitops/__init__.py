"""Arcan GitOps: Kubernetes secrets from Git, with pull requests, and no Vault to operate.

A five-minute tour, from the bottom up:

- `names`, `secret`, `errors`: the words. A name is parsed once; a secret redacts itself.
- `webhook`: the wire contract with the External Secrets Operator (ESO), all in one place.
- `sops`: the bytes of one SOPS document -> a verified tree. A library of its own.
- `realms`: many documents -> one `Snapshot`, loaded whole or not at all.
- `access`: tokens and their scopes; who may read what.
- `server`: the HTTPS edge: Flask behind Granian; routes, audit, TLS, reload.
- `overlay`: declared apps -> stores and ExternalSecrets -> a Kustomize tree on disk.
- `validate`: kustomize build, then kubeconform or the embedded validator.
- `eso`: an emulator of ESO's webhook client, to try manifests against a live server.
- `cli`: argv, environment variables, exit codes. No logic.
"""

__version__ = "0.1.0"
