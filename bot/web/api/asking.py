"""Asking without a workflow: what a request may say, on whose behalf, and the answer it gets."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema
from starlette.responses import JSONResponse

from bot.application import Application
from bot.web.api import shapes
from bot.web.api.once import IdempotencyKey, answered, once
from bot.web.callers import Asker, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.addresses import never_called
from engine.clock import iso
from engine.errors import Invalid, NotAllowed
from engine.ids import PersonId
from engine.rules.content import COMMENT_RULES, KINDS, RISKS
from engine.services import approvals, people
from engine.services.approvals import ASK, OpenCap, Request
from engine.services.keys import Caller, Scope
from engine.store.database import Transaction

router = APIRouter(prefix="/api/approvals", tags=["approvals"], route_class=StrictRoute)

_REQUESTER: Final = re.compile(r"(person|agent|key|workflow):[\w.@:-]{1,100}")
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}

Approvers = Annotated[
    Any,
    WithJsonSchema({"anyOf": [{"type": "string"}, _TEXTS, {"type": "null"}]}),
    Field(
        description="`person:ana`, `group:finance`, `role:operator`, … or a list of them.",
        examples=["group:finance"],
    ),
]
Quorum = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "enum": ["all", "majority"]},
                {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
                {"type": "null"},
            ]
        }
    ),
    Field(description="How many distinct people must agree, or a number for each group."),
]
RejectQuorum = Annotated[
    int | None, Field(strict=True, description="How many rejections end it (1).")
]
Details = Annotated[
    dict[str, Any], Field(description="What the approvers see, and what the digest covers.")
]


# What the engine judges, and refuses with codes of its own, is only described here.
def _line(chars_max: int) -> dict[str, JsonValue]:
    return {"minLength": 1, "maxLength": chars_max}


def _of(words: Sequence[str]) -> dict[str, JsonValue]:
    return {"enum": list(words)}


class AskBody(BaseModel):
    """What is asked, of whom, and until when."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(examples=["Refund order 17?"], json_schema_extra=_line(200))]
    action: Annotated[str, Field(examples=["refund"], json_schema_extra=_line(100))] = ASK
    details: Details = Field(default_factory=dict)
    approvers: Approvers = None
    quorum: Quorum = 1
    reject_quorum: RejectQuorum = 1
    ladder: Annotated[
        Any,
        WithJsonSchema({"anyOf": [{"type": "string"}, _TEXTS, {"type": "null"}]}),
        Field(description="What happens as time passes (`reject after 1d`)."),
    ] = None
    kind: Annotated[
        str,
        Field(
            description="Yes or no; `form`: approvers fill in the `form`; `budget`: they may grant "
            "less than the `amount` in the details; `modify`: they may change the `fields`.",
            json_schema_extra=_of(KINDS),
        ),
    ] = KINDS[0]
    form: Annotated[
        dict[str, Any] | None,
        Field(description="With the kind `form`: a flat JSON schema of what approvers fill in."),
    ] = None
    fields: Annotated[
        list[str] | None, Field(description="The fields of `details` that approvers may change.")
    ] = None
    risk: Annotated[str, Field(json_schema_extra=_of(RISKS))] = "medium"
    comment: Annotated[str, Field(json_schema_extra=_of(COMMENT_RULES))] = "optional"
    requester: Annotated[
        str | None, Field(description="On whose behalf; that person never counts.")
    ] = None
    routes: Annotated[
        dict[str, Any] | None, Field(description="Where it is posted instead of the default.")
    ] = None
    callback_url: Annotated[
        str | None,
        Field(
            max_length=2048,
            pattern=r"^https?://[A-Za-z0-9\[][!-~]+$",
            description="Where the decision is posted, signed with the `callback_secret`.",
        ),
    ] = None


@router.post(
    "",
    summary="Ask for an approval",
    status_code=202,
    response_model=shapes.Asked,
    responses=refusals(409, 413, 415),
)
async def ask(
    caller: Asker, application: Scoped, body: AskBody, key: IdempotencyKey = None
) -> JSONResponse:
    """Ask people, without a workflow. Follow `status_url`, or give a `callback_url`.

    Whatever could never be decided is refused now: unknown approvers, a quorum that nobody can
    reach, a ladder that never ends, a channel that is not configured. So is whoever has as many
    approvals open as one requester may (`too_many_open`).
    """
    _refuse_unknown(application, body)
    asked = once(caller, key, "/api/approvals", body)
    answer = await application.database.write(
        lambda tx: answered(tx, asked, lambda: _opened(tx, caller, body, application.open_cap))
    )
    return JSONResponse(
        {**answer, **_secret(application, body, answer)}, 202, {"Location": answer["status_url"]}
    )


def _opened(tx: Transaction, caller: Caller, body: AskBody, cap: OpenCap) -> dict[str, Any]:
    request = Request(
        title=body.title,
        action=body.action,
        approvers=body.approvers,
        quorum=1 if body.quorum is None else body.quorum,
        reject_quorum=1 if body.reject_quorum is None else body.reject_quorum,
        ladder=body.ladder,
        details=body.details,
        risk=body.risk,
        comment=body.comment,
        requester=_requester(tx, caller, body.requester),
        excluded=caller.behind,
        routes=body.routes,
        callback_url=body.callback_url,
        kind=body.kind,
        fields=body.fields,
        form=body.form,
    )
    row = approvals.ask(
        tx, caller.tenant, request, started_by=caller.subject, owner=caller.owner, cap=cap
    )
    return {
        "id": row.id,
        "run": row.run,
        "status": row.status,
        "version": row.version,
        "digest": row.digest,
        "status_url": f"/api/approvals/{row.id}",
        "page_url": f"/approvals/{row.id}",
        "expires_at": None if row.expires_at is None else iso(row.expires_at),
    }


def _secret(application: Application, body: AskBody, answer: Mapping[str, Any]) -> dict[str, str]:
    # Made again for a repeated request, so that it is stored nowhere.
    if body.callback_url is None:
        return {}
    return {"callback_secret": application.tokens.callback_secret(approval=answer["id"])}


def _refuse_unknown(application: Application, body: AskBody) -> None:
    if body.callback_url is not None and "webhook" not in application.channels:
        raise Invalid(
            "No webhook channel is set up here, so no callback_url can be called.",
            code="unknown_channel",
        )
    why = body.callback_url and never_called(body.callback_url, application.callback_allow_nets)
    if why:
        raise Invalid(f"That callback_url is never called: {why}.", code="bad_callback_url")


def _requester(tx: Transaction, caller: Caller, wanted: str | None) -> str:
    if wanted is None or wanted == caller.subject:
        return caller.subject
    if caller.person is not None and Scope.OPERATE not in caller.scopes:
        raise NotAllowed("People ask for themselves.", code="not_requester")
    if not _REQUESTER.fullmatch(wanted):
        raise Invalid(
            f"{wanted!a} is no requester. Write person:ana, or agent:name.", code="bad_requester"
        )
    kind, _, name = wanted.partition(":")
    known = people.several(tx, caller.tenant, [PersonId(name)]) if kind == "person" else None
    if known == []:
        raise Invalid(f"Nobody is known as {wanted}.", code="unknown_requester")
    return wanted
