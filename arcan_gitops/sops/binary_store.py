"""A file of any bytes as SOPS keeps it: the one key `data` of a JSON document.

Source: getsops/sops stores/json/store.go (BinaryStore).
"""

from __future__ import annotations

from typing import Any

from arcan_gitops.sops import json_store
from arcan_gitops.sops.errors import Malformed
from arcan_gitops.sops.limits import Limits


def parse(data: bytes, limits: Limits) -> list[dict[str, Any]]:
    """The tree `{"data": text}` and its `sops` block. Raises as `json_store.parse` does."""
    [tree] = json_store.parse(data, limits)
    if "sops" not in tree:
        return [tree]  # whoever looks for the metadata says what is wrong
    if set(tree) != {"data", "sops"}:
        raise Malformed("a binary document holds the key 'data' and nothing else")
    text = tree["data"]
    # the type is a part of the text; of another one there would be no bytes to give out
    if type(text) is not str or (text and not text.endswith(",type:str]")):
        raise Malformed("key 'data': not an encrypted text")
    return [tree]
