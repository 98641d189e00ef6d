"""`docs/reference/api.md`: every route of the HTTP API, made from its OpenAPI description."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bot.reference.tables import code, table
from bot.web.description import SAYS

Json = Mapping[str, Any]

_METHODS: Final = ("get", "post", "patch", "put", "delete")
_INTRODUCTION: Final = """\
# The HTTP API

This page is made from the server's OpenAPI description; a test keeps it complete. A running server
shows the same at `/docs`, to try, and as JSON at `/openapi.json`.

Send an API key (`signoff keys create`) or the session of `signoff login` as
`Authorization: Bearer …`. A key can ask and never votes; people vote. Refusals are
`application/problem+json` with a stable `code`: [Errors](../errors.md). Bodies are JSON of at most
1 MiB, without keys given twice, NaN or infinities. Lists give `next`, the `cursor` of the page that
follows, or null. Moments are in UTC, as in `2026-11-20T12:00:00.000000Z`.

**Repeats.** A `POST` that carries an `Idempotency-Key` (1 to 255 visible characters) is done once:
within seven days the same key with the same body gets the first answer again, and with another body
409 `idempotency_conflict`.

## Refusals
"""
_SHAPES: Final = """\
## Shapes

What is sent and answered. Fields are added over time, and none is renamed; answers may hold more than is
listed here. A field that may be empty is null.
"""


def api_page() -> str:
    """The whole page as Markdown; the same text every time."""
    schema = openapi()
    schemas: Json = schema.get("components", {}).get("schemas", {})
    lines = [
        line
        for path, operations in schema["paths"].items()
        for method in _METHODS
        if method in operations
        for line in _route(f"{method.upper()} {path}", operations[method], schemas)
    ]
    shapes = [line for name, described in schemas.items() for line in _shape(name, described)]
    refusals = table(("status", "means"), ((str(each), says) for each, says in SAYS.items()))
    return "\n".join((_INTRODUCTION, *refusals, "", *lines, _SHAPES, *shapes))


def openapi() -> Json:
    """The description that the server gives of itself, from a server that is put together for it."""
    # Half a second of imports that no other page needs.
    from bot.settings import Settings
    from bot.web.app import create_app
    from bot.wiring import running

    async def described(folder: Path) -> Json:
        (folder / "signoff.toml").touch()
        database = f"sqlite:///{folder / 'signoff.db'}"
        settings = Settings(None, database_url=database, config=folder / "signoff.toml")
        async with running(settings, authored={}) as it:
            return create_app(it.application).openapi()

    with TemporaryDirectory() as folder:
        return asyncio.run(described(Path(folder)))


def _route(name: str, operation: Json, schemas: Json) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield f"{operation.get('description') or operation.get('summary', '')}\n"
    rows = [*_parameters(operation, schemas), *_fields(_body(operation), schemas)]
    if rows:
        yield from table(("part", "in", "takes", "means"), rows)
        yield ""
    answers = sorted(operation["responses"].items())
    said = [
        f"{status} {_answer_name(answer)}".strip() for status, answer in answers if status < "4"
    ]
    refused = [status for status, _ in answers if status >= "4"]
    yield f"Answers {', '.join(said)}. {_refusing(refused)}".strip() + "\n"


def _refusing(statuses: Sequence[str]) -> str:
    return f"Refuses with {', '.join(statuses)}." if statuses else ""


def _shape(name: str, described: Json) -> Iterator[str]:
    yield f"### {name}\n"
    if says := " ".join(described.get("description", "").split()):
        yield f"{says}\n"
    if choices := described.get("enum"):
        yield f"One of {', '.join(code(str(each)) for each in choices)}.\n"
    fields = described.get("properties", {}).items()
    if fields:
        yield from table(("field", "holds"), ((code(field), _type(held)) for field, held in fields))
        yield ""


def _parameters(operation: Json, schemas: Json) -> Iterator[tuple[str, str, str, str]]:
    for each in operation.get("parameters", []):
        described = each.get("schema", {})
        says = each.get("description") or described.get("description", "")
        yield (
            _needed(each["name"], required=each.get("required", False)),
            each["in"],
            _type(described),
            says,
        )


def _body(operation: Json) -> Json:
    content: Json = operation.get("requestBody", {}).get("content", {})
    for each in content.values():
        found: Json = each.get("schema", {})
        return found
    return {}


def _fields(body: Json, schemas: Json) -> Iterator[tuple[str, str, str, str]]:
    described = _resolved(body, schemas)
    required = described.get("required", [])
    for name, field in described.get("properties", {}).items():
        says = field.get("description") or _resolved(field, schemas).get("description", "")
        yield _needed(name, required=name in required), "body", _type(field), " ".join(says.split())


def _resolved(described: Json, schemas: Json) -> Json:
    name = str(described.get("$ref", "")).rpartition("/")[2]
    found: Json = schemas.get(name, described)
    return found


def _needed(name: str, *, required: bool) -> str:
    return f"{code(name)} (required)" if required else code(name)


def _type(described: Json) -> str:
    if "$ref" in described:
        return str(described["$ref"]).rpartition("/")[2]
    if choices := described.get("enum"):
        return " | ".join(code(str(each)) for each in choices)
    if "const" in described:
        return code(str(described["const"]))
    for word in ("anyOf", "oneOf"):
        if word in described:
            kinds = [_type(each) for each in described[word] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if described.get("format") == "date-time":
        return "moment"
    kind = str(described.get("type", "any"))
    return (
        f"list of {_type(described['items'])}" if kind == "array" and "items" in described else kind
    )


def _answer_name(answer: Json) -> str:
    names = [
        str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2] or kind
        for kind, content in answer.get("content", {}).items()
    ]
    return ", ".join(code(name) for name in names)
