"""YAML that this project owns: one strict reader, one deterministic emitter, one round-trip editor.

(SOPS documents are read by `arcan_gitops.sops`, whose rules are SOPS's and not ours.) The editor is not
imported here: nothing else needs ruamel.yaml.
"""

from arcan_gitops.yamlio.composing import Composer
from arcan_gitops.yamlio.emitting import emit
from arcan_gitops.yamlio.fields import Fields, InvalidFile, one_of
from arcan_gitops.yamlio.problems import Problems, each
from arcan_gitops.yamlio.reading import (
    read_documents,
    read_foreign,
    read_foreign_mapping,
    read_mapping,
    read_objects,
)
from arcan_gitops.yamlio.templates import Template, certain_template, likely_template

__all__ = [
    "Composer",
    "Fields",
    "InvalidFile",
    "Problems",
    "Template",
    "certain_template",
    "each",
    "emit",
    "likely_template",
    "one_of",
    "read_documents",
    "read_foreign",
    "read_foreign_mapping",
    "read_mapping",
    "read_objects",
]
