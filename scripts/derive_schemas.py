"""Derive the JSON Schemas that `arcan validate` uses from a folder of CRDs and OpenAPI definitions.

    python scripts/derive_schemas.py CRD_FOLDER [--output arcan_gitops/validate/schemas]

CRD_FOLDER holds `<project>/<version>/*.yaml` (CustomResourceDefinitions) and `kubernetes/<version>.json`
(OpenAPI definitions). The output is `<project>/<version>/<group>/<kind>_<version>.json`, the same for
the same input; schemas of these projects that the input no longer gives are removed, all other files stay.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from arcan_gitops.atomic import replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.constraints import constraint_crd
from arcan_gitops.validate.derive import Derived, ObjectMeta, derive_crd, derive_openapi
from arcan_gitops.yamlio import read_documents

# The projects whose kinds are kept with the package; `arcan schemas add` is for all others.
PROJECTS: Final = (
    "argo-cd",
    "cert-manager",
    "external-secrets",
    "gatekeeper",
    "kyverno",
    "prometheus-operator",
)
_ROOT: Final = Path(__file__).resolve().parent.parent
# A constraint's schema comes from its own template; this project's are kept with Gatekeeper's.
_TEMPLATES: Final = tuple(
    _ROOT / "arcan_gitops/deploy/kustomize/components/policies/gatekeeper" / name
    for name in ("template.yaml", "accounts-template.yaml")
)


def derive(folder: Path) -> Iterator[tuple[PurePosixPath, Derived]]:
    """(set, schema) for every kind, the set being `<project>/<version>`. Raises `ArcanError`."""
    openapi = sorted((folder / "kubernetes").glob("*.json"))
    if len(openapi) != 1:
        raise ArcanError(f"{folder / 'kubernetes'}: must hold one <version>.json, holds {len(openapi)}")
    document = json.loads(openapi[0].read_bytes())
    for schema in derive_openapi(document):
        yield PurePosixPath("kubernetes", openapi[0].stem), schema
    meta = ObjectMeta.from_openapi(document)
    for project in PROJECTS:
        for file in sorted((folder / project).glob("*/*.yaml")):
            for crd in read_documents(file.read_bytes(), str(file)):
                for schema in derive_crd(crd, meta):
                    yield PurePosixPath(project, file.parent.name), schema
    for version in sorted((folder / "gatekeeper").glob("*")):
        for path in _TEMPLATES:
            for template in read_documents(path.read_bytes(), str(path)):
                for schema in derive_crd(constraint_crd(template), meta):
                    yield PurePosixPath("gatekeeper", version.name), schema


def main() -> int:
    """Write the schemas, and print how many and how large each set is."""
    parser = argparse.ArgumentParser(description="Derive the JSON Schemas of `arcan validate`.")
    parser.add_argument("folder", type=Path, metavar="CRD_FOLDER")
    parser.add_argument("--output", type=Path, default=_ROOT / "arcan_gitops" / "validate" / "schemas")
    arguments = parser.parse_args()
    output: Path = arguments.output
    try:
        files = {output / kept / schema.path: schema.text() for kept, schema in derive(arguments.folder)}
    except ArcanError as error:
        print(f"derive_schemas: error: {error.message}", file=sys.stderr)
        return 1
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    for project in ("kubernetes", *PROJECTS):
        for stale in set((output / project).rglob("*.json")) - set(files):
            stale.unlink()
        for kept in sorted({path.relative_to(output).parts[:2] for path in files}):
            if kept[0] == project:
                sizes = [
                    len(text) for path, text in files.items() if path.relative_to(output).parts[:2] == kept
                ]
                print(f"{'/'.join(kept)}: {len(sizes)} schemas, {sum(sizes)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
