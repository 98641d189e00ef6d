"""Adding a written workflow: read, checked against all that is here, and kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.clock import from_micros
from engine.errors import EngineError, Invalid
from engine.runtime.definitions.programs import Program, compiled
from engine.runtime.workflows import BUILT_IN, Workflows
from engine.services import definitions
from engine.services.definitions import DefinitionRow
from engine.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a definition is called, which version it is, and whether that was the newest before already."""

    name: str
    version: str
    is_new: bool


def checked(workflows: Workflows, source: str) -> Program:
    """The program that `source` writes, where all that it names is here.

    Raises:
        BadDefinition: with every mistake. Invalid: `name_taken`, if a workflow in code, or a built-in
            one, has its name.
    """
    program = compiled(source, workflows.offered)
    if program.name in BUILT_IN or program.name in workflows.authored:
        raise Invalid(
            f"A workflow in code is called {program.name} already. Write another `name`.",
            code="name_taken",
        )
    return program


async def add(database: Database, workflows: Workflows, source: str, *, by: str) -> Added:
    """Keep a definition as the newest of its name, and know it here from now on.

    Adding what is the newest already changes nothing.

    Raises:
        BadDefinition, Invalid: as `checked`. Conflict: `too_many_definitions`.
    """
    await workflows.refresh(database)
    program = checked(workflows, source)
    row = DefinitionRow(
        tenant=workflows.tenant,
        name=program.name,
        version=program.version,
        body=program.body,
        source=source,
        functions=program.functions,
        children=program.children,
        added_by=by,
        added_at=from_micros(0),  # the deed's own moment takes its place
    )
    is_new = await database.write(lambda tx: definitions.add(tx, row))
    await workflows.refresh(database)
    return Added(name=program.name, version=program.version, is_new=is_new)


async def add_all(
    database: Database, workflows: Workflows, sources: Mapping[str, str], *, by: str
) -> list[Added]:
    """Keep definitions, which may start each other, whatever their order; `sources` are by file.

    Raises:
        Invalid: `bad_definition`, naming every file that is wrong; those without a mistake were kept.
    """
    added: list[Added] = []
    left, refused = dict(sources), dict[str, EngineError]()
    while left:
        before = len(left)
        for file, source in list(left.items()):
            try:
                added.append(await add(database, workflows, source, by=by))
                del left[file]
            except Invalid as error:
                refused[file] = error
        if len(left) == before:
            raise Invalid(
                "\n".join(in_file(file, refused[file]) for file in left), code="bad_definition"
            )
    return added


def in_file(file: str, error: Exception) -> str:
    """What is wrong, each line with the file's name before it."""
    return "\n".join(f"{file}: {line}" for line in str(error).splitlines())
