"""A definition ready to run: read, checked, and named by the digest of what it says."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydantic import ValidationError

from engine.digest import canonical, tagged_digest
from engine.rules.definitions import BadDefinition
from engine.rules.wording import is_sequence, is_table
from engine.runtime.definitions import asked
from engine.runtime.definitions.checking import Checker
from engine.runtime.definitions.inputs import input_model
from engine.runtime.definitions.offered import Offered
from engine.runtime.definitions.reading import Written, read
from engine.runtime.definitions.shapes import TYPES, Definition
from engine.runtime.definitions.walking import walk
from engine.runtime.definitions.wording import problems_of
from signoff.registry import Workflow
from signoff.running import Run

DIGEST_TAG: Final = "signoff/definition/v1"
VERSION_CHARS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A definition without a mistake. Two that say the same have one version, however they are written."""

    definition: Definition
    version: str
    body: str  # what it says, as JSON, each key where it was written
    functions: tuple[str, ...]
    children: tuple[str, ...]

    @property
    def name(self) -> str:
        """What its workflow is called."""
        return self.definition.name


def compiled(source: bytes | str, offered: Offered) -> Program:
    """The program that `source` writes in YAML or JSON, where all that it names is `offered`.

    Raises:
        BadDefinition: with every mistake that was found, its line and its column.
    """
    written = read(source)
    definition = _shaped(written)
    checker = Checker(definition, written, offered)
    if problems := checker.problems():
        raise BadDefinition(problems)
    body = json.loads(canonical(written.value))
    # How it is written makes no new version, but what people see in another order is another form.
    digest = tagged_digest(DIGEST_TAG, asked.in_order(_ordered(body, written.value)))
    return Program(
        definition=definition,
        version=digest.removeprefix("sha256:")[:VERSION_CHARS],
        body=json.dumps(_ordered(body, written.value), ensure_ascii=False),
        functions=tuple(dict.fromkeys(checker.functions)),
        children=tuple(dict.fromkeys(checker.children)),
    )


def workflow_of(body: str, version: str, offered: Offered) -> Workflow:
    """The workflow that drives runs of a definition that was accepted before.

    Raises:
        ValueError: if this process does not understand it, or lacks a function that it names.
    """
    definition = definition_of(body)

    async def drive(run: Run, /, **given: object) -> object:
        return await walk(run, definition, given, offered.function)

    return Workflow(
        name=definition.name,
        version=version,
        fn=drive,
        input_model=input_model(definition),
        manner=definition.manner,
    )


@lru_cache(maxsize=256)
def definition_of(body: str) -> Definition:
    """What was accepted before.

    Raises:
        ValueError: if this process does not understand it.
    """
    return Definition.model_validate_json(body)


def _shaped(written: Written) -> Definition:
    try:
        return Definition.model_validate(written.value)
    except ValidationError as error:
        raise BadDefinition(problems_of(error, written, TYPES)) from None


def _ordered(value: object, written: object) -> object:
    """`value` with its keys in the order in which they were written."""
    if is_table(value) and is_table(written):
        return {key: _ordered(value[key], written[key]) for key in written}
    if is_sequence(value) and is_sequence(written):
        return [_ordered(each, as_was) for each, as_was in zip(value, written, strict=True)]
    return value
