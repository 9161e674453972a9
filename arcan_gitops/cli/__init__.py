"""`arcan`: argv and the environment in, exit status out. No logic lives here.

The rules of this CLI's voice: results on standard output, everything else on standard error; errors in lower
case, what and where, then the next thing to do; no questions, except for a secret's value, after an edit
that cannot be saved, and before something is removed that declared apps use; never a value, token or
identity in a message. Exit status: 0 fine, 1 a finding or a failure, 2 wrong usage.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any, Final

import click

from arcan_gitops import __version__
from arcan_gitops.cli.output import say, say_error, warn
from arcan_gitops.errors import ArcanError, OldName, place_of, printable

# command -> (module of this package, the line that `arcan --help` shows)
_COMMANDS: Final = {
    "init": ("init", "Lay out a new repository: realms, apps, checks."),
    "keygen": ("keygen", "Make an age identity, outside of Git."),
    "serve": ("serve", "Serve the realms to the External Secrets Operator over HTTPS."),
    "token": ("token", "Create, list, narrow, rotate and revoke the tokens of a realm."),
    "account": ("account", "Grant reads of a realm to service accounts of clusters."),
    "cluster": ("cluster", "Make clusters known whose accounts may read realms."),
    "status": ("status", "Ask servers how they are."),
    "audit": ("audit", "Ask the audit log: whether it is whole, who read what, what nobody reads."),
    "secret": ("secret", "Set, read, edit and import the secrets of a realm."),
    "realm": ("realm", "Create, list, check and re-encrypt the documents of realms."),
    "review": ("review", "Say what a branch changes: what breaks, who gets more, what follows."),
    "gate": ("gate", "Say what only the key can tell of a change: whether it opens, which values change."),
    "who-can-read": ("who", "Say who and what can read a realm, or one key of it."),
    "import": ("import_", "Take over the secrets of Vault, Infisical, AWS, Kubernetes or files."),
    "generate": ("generate", "Generate the manifests that ESO consumes."),
    "app": ("app", "Take apps out, and the Kubernetes Secrets that they have."),
    "overlay": ("overlay", "Add or remove a cluster, or another environment on one."),
    "bootstrap": ("bootstrap", "Print what a cluster needs and Git must not hold."),
    "doctor": ("doctor", "Find out why a Kubernetes Secret is not what it should be."),
    "ca": ("ca", "Get the CA of a server that runs."),
    "sync": ("sync", "Print what makes ESO refresh apps at once, or --run it."),
    "validate": ("validate", "Build overlays with Kustomize and validate every manifest."),
    "lint": ("lint", "Check manifests for what a schema cannot see."),
    "explain": ("explain", "Print the page about a finding of review or lint."),
    "schema": ("schema", "Print the JSON Schema of an app's file, for editors."),
    "schemas": ("schemas", "Manage the schemas that `arcan validate` uses."),
    "simulate": ("simulate", "Run manifests through an emulator of ESO against a live server."),
}


class _Commands(click.Group):
    """Imports a command's module when it runs, so that `arcan --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = _COMMANDS[cmd_name][0]  # `import_`, for `import` is a keyword of Python
        module = importlib.import_module(f"arcan_gitops.cli.{name}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"), None) or getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=_Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="arcan", message="%(prog)s %(version)s")
def arcan() -> None:
    """Kubernetes secrets from Git, with pull requests, and no Vault to operate.

    Commands find the folders realms and kustomize of the repository from every folder below its root.
    """


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: Any = None,
) -> None:
    """Print a warning about an old name; other warnings are for developers, who run the tests."""
    if issubclass(category, OldName):
        warn(str(message))


def main() -> None:
    """The console script. Prints an `ArcanError` as an error and a hint, and exits 1."""
    warnings.showwarning = _show_warning
    try:
        status = arcan.main(prog_name="arcan", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.Abort:
        say("interrupted")
        sys.exit(130)
    except click.ClickException as wrong:
        vars(wrong)["message"] = printable(wrong.message)  # a file name may look like an option
        wrong.show()
        sys.exit(wrong.exit_code)
    except ArcanError as error:
        say_error(error)
        sys.exit(1)
    except Exception as error:  # its text might hold what must not be shown
        say(f"error: unexpected {type(error).__name__} at {place_of(error)}")
        say("hint: this is a bug; please report the line above and the command")
        sys.exit(1)
