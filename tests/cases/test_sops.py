"""sops/: documents and rules that people have."""

from __future__ import annotations
