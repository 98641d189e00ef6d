"""Imports the authors' workflows from the folder in which the server is started."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.errors import Invalid
from engine.runtime.executor import refuse_builtin_name
from signoff.registry import Workflow, load


def load_workflows(modules: Iterable[str]) -> Mapping[str, Workflow]:
    """The workflows that `modules` hold; importable is what Python finds, and then this folder.

    Raises:
        Invalid: `bad_workflow`, if a module is not there, cannot be imported, or holds none.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        # Behind everything: a file of the author's must not stand in for one of a library's.
        sys.path.append(here)
    try:
        found = load(modules)
    except Exception as error:  # border: importing runs the author's code
        said = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise Invalid(f"The workflows cannot be imported: {said}", code="bad_workflow") from error
    refuse_builtin_name(list(found))
    return found
