"""Measure the cases with Go, sprig and the jsonpath library: `python scripts/go_vectors/make.py`.

Needs Go and its module proxy; writes tests/golang/vectors.json. Not part of the tests, which read that file.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import BODY, STORE, TARGET, cases

HERE = Path(__file__).parent
VECTORS = HERE.parents[1] / "tests" / "golang" / "vectors.json"


def measure(given: list[dict[str, object]]) -> list[dict[str, str]]:
    """The results of Go, in the same order."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("main.go", "go.mod"):
            shutil.copy(HERE / name, folder)
        build = ["go", "build", "-mod=mod", "-o", "oracle", "."]
        subprocess.run(build, cwd=folder, check=True)
        run = [str(Path(folder, "oracle"))]
        done = subprocess.run(run, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True)
    results: list[dict[str, str]] = json.loads(done.stdout)
    return results


def main() -> None:
    """Write the file anew; sys.argv may name another."""
    given = list(cases())
    results = measure(given)
    vectors = [
        {"kind": case["kind"], "text": case["text"], **result}
        for case, result in zip(given, results, strict=True)
    ]
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS
    document = {"target": TARGET, "store": STORE, "body": BODY, "vectors": vectors}
    target.write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
