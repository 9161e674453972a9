"""The name of a container image, as an image reference writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from arcan_gitops.names import InvalidName


@dataclass(frozen=True, slots=True)
class Image:
    """`ghcr.io/platform/arcan:1.2.0@sha256:...`; with a tag, a digest or both.

    Source: the grammar of github.com/distribution/reference.
    """

    name: str
    tag: str | None
    digest: str | None

    _grammar: ClassVar = re.compile(
        r"(?P<name>(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?(?::[0-9]+)?/)?"
        r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
        r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
        re.ASCII,
    )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `InvalidName` for text that is not a reference, or has no digest and no tag but `latest`."""
        match = cls._grammar.fullmatch(text)
        if match is None:
            raise InvalidName(
                f"{text[:80]!r} is not the name of an image",
                hint="write it as ghcr.io/OWNER/arcan:TAG, or with @sha256:DIGEST behind it",
            )
        if match["tag"] is None and match["digest"] is None:
            raise InvalidName(
                f"image '{text}' has neither a tag nor a digest",
                hint="add :TAG or @sha256:DIGEST, or a node runs what is the latest when it pulls",
            )
        if match["tag"] == "latest" and match["digest"] is None:
            raise InvalidName(
                f"image '{text}' is whatever is the latest when a node pulls it",
                hint="name the tag of one version, or add @sha256:DIGEST",
            )
        return cls(match["name"], match["tag"], match["digest"])
