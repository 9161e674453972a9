"""kustomize/: what one version builds and another does not."""

from __future__ import annotations
