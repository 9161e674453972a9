"""Who may import whom, and who may touch what: the security architecture, held by a walk over the code.

A new dependency between packages, or a new place that starts processes, reads the environment or unwraps a
secret, is a change of this file that somebody reviews.
"""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "arcan_gitops"

FOUNDATION = {
    "errors",
    "names",
    "durations",
    "secret",
    "atomic",
    "golang",
    "webhook",
    "eso_version",
    "template_advice",
    "code_scanning",
    "explanations",
    "kustomize_files",
}

# part of the package -> the other parts that it may import. `cli` may import everything.
MAY_IMPORT = {
    "__init__": set(),
    "errors": set(),
    "names": {"errors"},
    "durations": {"names"},
    "secret": {"errors"},
    "atomic": {"errors"},
    "golang": {"errors"},
    "webhook": {"errors", "names"},
    "eso_version": {"errors", "names"},
    "code_scanning": {"__init__"},
    "kustomize_files": set(),
    "explanations": {"errors", "names"},
    "template_advice": {"errors", "names", "golang"},
    "editor": {"errors"},
    "git": {"errors"},
    "memory_folder": {"errors"},
    "certificates": {"errors", "names"},
    "demo": set(),
    "yamlio": FOUNDATION,
    "sops": FOUNDATION | {"yamlio"},
    "access": FOUNDATION | {"yamlio"},
    "getsops": FOUNDATION | {"sops"},
    "realms": FOUNDATION | {"yamlio", "sops", "access"},
    "audit": FOUNDATION,
    "status": FOUNDATION,
    # of `audit` the form of a line, its chain and its key, which whoever reads the log must know too
    "server": FOUNDATION
    | {"yamlio", "sops", "getsops", "access", "realms", "demo", "certificates", "audit", "status"},
    "overlay": FOUNDATION | {"yamlio"},
    "deploy": FOUNDATION | {"yamlio", "overlay"},
    "bootstrap": FOUNDATION | {"yamlio", "overlay", "deploy"},
    "scaffold": FOUNDATION | {"yamlio", "overlay"},
    "validate": FOUNDATION | {"yamlio"},
    "eso": FOUNDATION | {"yamlio"},
    "lint": FOUNDATION | {"yamlio"},
    # reads what the realms record of tokens beside what a cluster holds: both halves, and runs neither
    "doctor": FOUNDATION | {"yamlio", "access", "overlay", "deploy", "bootstrap", "eso", "lint"},
    "migrate": FOUNDATION | {"sops", "realms"},
    "adopt": FOUNDATION | {"yamlio", "overlay"},
    # reads what both sides are made from, in a commit of Git, and runs neither
    "review": FOUNDATION | {"yamlio", "sops", "access", "realms", "overlay", "deploy", "git"},
}

# a module of another project -> where it may be imported: a part of the package, or one module of it
ONLY_IN = {
    "flask": {"server"},
    "werkzeug": {"server"},
    "granian": {"server"},
    "click": {"cli"},
    "rich": {"cli"},
    "pyrage": {"sops"},
    "jwt": {"access"},
    "ruamel": {"yamlio"},
    "jsonschema": {"validate"},
    "watchfiles": {"server"},
    "hvac": {"migrate/sources/vault.py"},
    "boto3": {"migrate/sources/aws.py"},
    "botocore": {"migrate/sources/aws.py"},
    "kubernetes": {"migrate/sources/kubernetes.py"},
    "infisical_sdk": {"migrate/sources/infisical.py"},
    "re2": {"golang"},
    "requests": {
        "migrate/sources/vault.py",
        "migrate/sources/infisical.py",
        "migrate/sources/sessions.py",
    },
    "urllib3": {"migrate/sources/kubernetes.py"},
    "subprocess": {
        "validate/kustomize.py",
        "validate/kubeconform.py",
        "cli/key_command.py",
        "getsops/binary.py",
        "editor.py",
        "git.py",
        "bootstrap/kubectl.py",
        "memory_folder.py",  # what removes the folder if this process is killed
    },
    "pickle": set(),
    "marshal": set(),
    "shelve": set(),
}

# the environment of the process is read at the edge and passed in
ENVIRONMENT = {"cli"}
ENVIRONMENT_NAMES = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}

# `SecretValue.reveal()`: each place is one where a value has to leave its wrapper
REVEAL = {
    "secret.py",  # defines it
    "cli/token_output.py",  # a new token, printed once to who made it
    "cli/token_sync.py",  # the same for all that are missing
    "realms/transfer.py",  # verified snapshots on their way to the workers, in memory
    "server/decision.py",  # the answer
    "review/gate.py",  # compares values, and looks for them in clear; none is shown
    "migrate/landing.py",  # what was read elsewhere, on its way into a document
}

# what runs a text as a program or a command, or makes objects of it
NEVER_CALLED = {"eval", "exec", "__import__"}
NEVER_OF_OS = {"system", "popen", "execv", "execve", "execvp", "execvpe", "spawnl", "spawnv", "posix_spawn"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def inside(path: Path) -> str:
    """`server/app.py`"""
    return path.relative_to(PACKAGE).as_posix()


def part(path: Path) -> str:
    """The package or module right under arcan_gitops: `server`, `yamlio`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def allowed(path: Path, places: set[str]) -> bool:
    return part(path) in places or inside(path) in places


def imported(module: ast.Module) -> Iterator[str]:
    """The dotted names of all imports, also those in functions and those for types only."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_imported(module: ast.Module) -> set[str]:
    return {
        name.split(".")[1]
        for name in imported(module)
        if name.startswith("arcan_gitops.") and not name.startswith("arcan_gitops.__")
    }


def uses_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in ENVIRONMENT_NAMES
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and any(alias.name in ENVIRONMENT_NAMES for alias in node.names)
    )


def reveals(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "reveal"


def runs_text(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in NEVER_CALLED
    return (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "os"
        and node.func.attr in NEVER_OF_OS
    )


def found(matches: Callable[[ast.AST], bool], places: set[str]) -> list[str]:
    """`module:line` of each match outside the places."""
    return [
        f"{inside(path)}:{getattr(node, 'lineno', 0)}"
        for path in modules()
        if not allowed(path, places)
        for node in ast.walk(tree(path))
        if matches(node)
    ]


def test_every_part_of_the_package_has_its_place():
    parts = {part(path) for path in modules()} - {"cli"}
    assert parts <= set(MAY_IMPORT)


def test_imports_go_in_one_direction():
    wrong = [
        f"{inside(path)} imports {other}"
        for path in modules()
        if part(path) in MAY_IMPORT
        for other in sorted(parts_imported(tree(path)) - MAY_IMPORT[part(path)] - {part(path)})
    ]
    assert wrong == []


def test_the_table_itself_has_no_circle():
    settled: set[str] = set()
    while layer := {name for name, others in MAY_IMPORT.items() if others - {name} <= settled} - settled:
        settled |= layer
    assert settled == set(MAY_IMPORT)


def modules_imported(path: Path) -> set[Path]:
    """The modules of the package that one imports, also in functions and for types only."""
    named = {".".join(other.with_suffix("").parts).removesuffix(".__init__"): other for other in modules()}
    prefix = ".".join(PACKAGE.parent.parts) + "."
    return {
        named[prefix + name]
        for name in imported(tree(path))
        if prefix + name in named and named[prefix + name] != path and not _only_names_below(path, name)
    }


def _only_names_below(path: Path, name: str) -> bool:
    """`from package import module` also yields the package itself, which need not be what is meant."""
    package = PACKAGE.parent.joinpath(*name.split("."))
    if not package.is_dir():
        return False
    return all(
        (package / f"{alias.name}.py").exists() or (package / alias.name).is_dir()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == name
        for alias in node.names
    )


def circles(imports: dict[Path, set[Path]]) -> list[str]:
    """The modules that are in a circle of imports, or that import from one."""
    left = dict(imports)
    while layer := [path for path, others in left.items() if not others & set(left)]:
        for path in layer:
            del left[path]
    return sorted(map(inside, left))


def test_no_imports_go_in_a_circle():
    assert circles({path: modules_imported(path) for path in modules()}) == []


def test_a_circle_of_imports_is_seen():
    one, two, three = (PACKAGE / name for name in ("one.py", "two.py", "three.py"))
    assert circles({one: {two}, two: {one}, three: set()}) == ["one.py", "two.py"]


def test_the_server_and_the_generator_never_meet():
    """The wire contract is all that they share."""
    generation = {"overlay", "deploy", "bootstrap", "scaffold", "validate", "eso", "lint", "adopt"}
    serving = {"sops", "access", "realms", "server", "migrate"}
    for name in generation:
        assert not MAY_IMPORT[name] & serving
    for name in serving:
        assert not MAY_IMPORT[name] & generation


@pytest.mark.parametrize("module", sorted(ONLY_IN))
def test_a_module_with_one_job_is_imported_only_where_the_job_is(module: str):
    wrong = [
        f"{inside(path)} imports {name}"
        for path in modules()
        if not allowed(path, ONLY_IN[module])
        for name in imported(tree(path))
        if name.split(".")[0] == module
    ]
    assert wrong == []


def test_only_the_cli_reads_the_environment():
    assert found(uses_environment, ENVIRONMENT) == []


def test_a_secret_is_unwrapped_in_few_places():
    assert found(reveals, REVEAL) == []


def test_each_place_that_may_unwrap_a_secret_does():
    used = {inside(path) for path in modules() if any(map(reveals, ast.walk(tree(path))))}
    assert used >= REVEAL - {"secret.py"}


def test_no_text_is_ever_run():
    assert found(runs_text, set()) == []


@pytest.mark.parametrize(
    ("source", "matches"),
    [
        ("import os\nos.environ['A']", uses_environment),
        ("from os import getenv", uses_environment),
        ("value.reveal()", reveals),
        ("send = value.reveal", reveals),
        ("import os\nos.system('ls')", runs_text),
        ("eval('1')", runs_text),
    ],
)
def test_the_walk_sees_what_it_is_for(source: str, matches: Callable[[ast.AST], bool]):
    assert any(map(matches, ast.walk(ast.parse(source))))


def test_the_walk_sees_imports_inside_functions():
    source = "def f():\n    from arcan_gitops.overlay import build\n    import flask.app"
    assert set(imported(ast.parse(source))) == {
        "arcan_gitops.overlay",
        "arcan_gitops.overlay.build",
        "flask.app",
    }
    assert parts_imported(ast.parse(source)) == {"overlay"}
