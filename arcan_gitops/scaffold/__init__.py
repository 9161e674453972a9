"""A new repository in one go: its files, and writing them without ever replacing one."""

from arcan_gitops.scaffold.layout import Layout, Owner, layout_files
from arcan_gitops.scaffold.package import Package
from arcan_gitops.scaffold.writing import NewFiles, lacks, plan_files, write_files

__all__ = [
    "Layout",
    "NewFiles",
    "Owner",
    "Package",
    "lacks",
    "layout_files",
    "plan_files",
    "write_files",
]
