"""eso/: what ESO does with it, and what is said of it before a cluster sees it."""

from __future__ import annotations
