"""Write deploy/kubernetes/eso/, the manifests for a first try.

    python scripts/static_manifests.py [--check]

They come from the code that generates all other stores; --check writes nothing and exits 1 on a difference.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from arcan_gitops.atomic import replace_file
from arcan_gitops.deploy import static_tree

_FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "kubernetes" / "eso"


def main() -> int:
    """Write the files that differ, and say which."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on a difference")
    check = parser.parse_args().check
    tree = static_tree()
    present = {path.name: path.read_text("utf-8") for path in _FOLDER.glob("*.yaml")}
    different = sorted(name for name in present.keys() | tree.keys() if present.get(name) != tree.get(name))
    for name in different:
        path = _FOLDER / name
        print(f"static_manifests: {'differs' if check else 'wrote' if name in tree else 'removed'}: {path}")
        if check:
            continue
        if name in tree:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, tree[name].encode("utf-8"))
        else:
            path.unlink()
    return 1 if check and different else 0


if __name__ == "__main__":
    sys.exit(main())
