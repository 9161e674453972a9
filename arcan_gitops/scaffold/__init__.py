"""A new repository in one go: its files, and writing them without ever replacing one."""

from arcan_gitops.scaffold.layout import Layout, Owner, Package, layout_files
from arcan_gitops.scaffold.writing import FilesInTheWay, NewFiles, plan_files, write_files

__all__ = [
    "FilesInTheWay",
    "Layout",
    "NewFiles",
    "Owner",
    "Package",
    "layout_files",
    "plan_files",
    "write_files",
]
