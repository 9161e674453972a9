"""Write the vector files with the real sops: `python -m tests.vectors.make_vectors [--anew] [WORD ...]`.

Files that exist stay as they are, unless `--anew` or a word of their name says otherwise: every run would
encrypt them differently. A vector is written only if our reader does what it expects, and sops 3.11.0 too or
does otherwise where `differs` says why; so an expectation that is wrong does not get in.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pyrage

from arcan_gitops.sops import SopsError
from tests.support.vectors import IDENTITIES, SSH, SUCCESS, Vector, as_json, ask_sops, same
from tests.vectors.cases import formats, metadata, recipients, rules, tampering, values
from tests.vectors.cases.tools import AGE

MODULES = (values, rules, recipients, tampering, metadata, formats)


def make_identities() -> None:
    """Throw-away identities, which open nothing but vectors."""
    IDENTITIES.mkdir(exist_ok=True)
    for name in AGE:
        path = IDENTITIES / name
        if not path.exists():
            identity = pyrage.x25519.Identity.generate()
            path.write_text(f"# {identity.to_public()}\n{identity}\n")
    for name in SSH:
        path = IDENTITIES / name
        if not path.exists():
            command = [
                "ssh-keygen",
                "-q",
                "-t",
                name,
                "-N",
                "",
                "-C",
                f"{name} of the vectors",
                "-f",
                str(path),
            ]
            subprocess.run(command, check=True)


def problem(vector: Vector) -> tuple[str, Vector]:
    """(what is wrong with it or nothing, the vector with its tree)."""
    trees = None
    try:
        trees = vector.load().trees
    except SopsError as error:
        outcome, said = type(error).__name__, f" ({error.message})"
    else:
        outcome, said = SUCCESS, ""
        vector = replace(vector, tree=as_json(trees))
    if outcome != vector.expect:
        return f"expected {vector.expect} and got {outcome}{said}", vector
    if vector.not_run:
        return "", vector
    answer = ask_sops(vector.document, vector.format, vector.identities)
    if (answer.trees is not None) != vector.sops_accepts:
        return f"sops {'accepts' if answer.trees is not None else 'refuses: ' + answer.error}", vector
    if trees is not None and answer.trees is not None and not same(trees, answer.trees):
        return "sops reads other values", vector
    return "", vector


def wanted(vector: Vector, anew: bool, words: list[str]) -> bool:
    return anew or not vector.path.exists() or any(word in vector.path.name for word in words)


def all_cases() -> Iterator[Vector]:
    for module in MODULES:
        yield from module.cases()


def main() -> int:
    anew, words = "--anew" in sys.argv, [word for word in sys.argv[1:] if word != "--anew"]
    make_identities()
    seen, bad = set(), 0
    for vector in all_cases():
        assert vector.path not in seen, vector.path
        seen.add(vector.path)
        if not wanted(vector, anew, words):
            continue
        wrong, complete = problem(vector)
        if wrong:
            bad += 1
            print(f"{vector.path.name}: {wrong}", file=sys.stderr)
        else:
            complete.write()
    for path in sorted(set(IDENTITIES.parent.glob("*.vector")) - seen):
        print(f"{path.name}: no case makes it any more", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
