"""A realm folder that holds `realm.yaml` alone is one to come: no problem, and no realm yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.names import RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.tree import BadLayout


def test_it_stands_in_nobody_s_way_until_something_is_in_it(tmp_path: Path) -> None:
    for realm in ("production", "platform"):
        (tmp_path / realm).mkdir()
        (tmp_path / realm / "realm.yaml").write_text("tokenExpiry: 180d\n")
    with pytest.raises(BadLayout, match="holds no realm"):
        RealmTree(tmp_path).realms()
    (tmp_path / "production/prod.sops.yaml").write_text("")
    tree = RealmTree(tmp_path)
    assert tree.realms() == (RealmName("production"),)
    assert len(tree.documents()) == 1
    (tmp_path / "platform/tokens.yaml").write_text("version: 1\ntokens: []\n")
    with pytest.raises(BadLayout, match="platform: the realm has no document"):
        tree.documents()
