"""What was agreed to (I1), where approvers may change what is asked: the exact outcome, and what was begun with it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.chaos.checker.book import Book, Row, digest_of
from bot.chaos.checker.chains import DIGEST_TAG
from bot.chaos.checker.filled import filled_in, kind_of, wrongly_filled, wrongly_granted
from bot.chaos.checker.spelling import is_table, spelled_out

GIVEN: Final = frozenset({"approved", "continued"})


def meaning(changes: Mapping[str, Any] | None) -> str:
    """Changes as one text; none are the empty text, however they are written."""
    return spelled_out(dict(changes)) if changes else ""


def wrong_outcomes(book: Book) -> Iterator[str]:
    """Decisions whose effective content is not what was asked with what was agreed."""
    for approval in book.approvals.values():
        decision = approval["decision"]
        if decision is None or decision["outcome"] not in GIVEN:
            continue
        content = json.loads(approval["content"])
        fields = dict(content.get("fields", ()))
        name = f"I1: {approval['id']}"
        if approval["kind"] != kind_of(content):
            yield f"{name} is of the kind {approval['kind']} and asks for a {kind_of(content)}"
        if not fields:
            if "effective_digest" in decision:
                yield f"{name} was changed, and nobody may change it"
            continue
        foreign = decision["changes"].keys() - fields.keys()
        if foreign:
            yield f"{name} was changed in {sorted(foreign)}, which nobody may change"
            continue
        yield from (f"{name}: {wrong}" for wrong in _of_its_kind(content, decision))
        if decision.get("effective_digest") != _digest(_effective(content, decision)):
            yield f"{name} takes effect with another digest than its content with the changes"


def _of_its_kind(content: Mapping[str, Any], decision: Mapping[str, Any]) -> Iterator[str]:
    """What a form was wrongly filled in with, and what was granted of a budget beyond it."""
    kind, changes = kind_of(content), decision["changes"]
    if kind == "form":
        answers = filled_in(content, changes)
        if spelled_out(decision.get("form")) != spelled_out(answers):
            yield "it holds other answers than were agreed to"
        yield from wrongly_filled(content, answers)
    elif "form" in decision:
        yield "it was filled in, and nothing was asked"
    if kind == "budget":
        asked = content["details"]["amount"]
        yield from wrongly_granted(asked, changes.get("amount", asked))


def begun_otherwise(book: Book) -> Iterator[str]:
    """Steps that were begun with another call than was agreed to."""
    for run, entries in book.journals.items():
        for used in entries:
            if used["kind"] != "approval.consumed":
                continue
            data, where = used["data"], f"I1: {run}, position {used['position']}"
            begun = next(
                (
                    entry
                    for entry in entries
                    if entry["kind"] == "step.begun"
                    and entry["path"] == used["path"]
                    and entry["position"] > used["position"]
                ),
                None,
            )
            if begun is None or begun["data"].get("approval") != data["approval"]:
                yield f"{where}: {data['approval']} was used by a step that did not begin with it"
                continue
            call = effective_call(book, data["approval"], data["digest"])
            if call is not None and begun["data"]["arguments"] != call["arguments"]:
                yield f"{where}: {begun['name']} began with other arguments than were agreed to"


def effective_call(book: Book, approval: str, digest: str) -> Row | None:
    """The call that a decision on the version with this digest allows; None where any is."""
    versions = book.where("versions", approval=approval)
    text = next((row["content"] for row in versions if row["digest"] == digest), "{}")
    content: Any = json.loads(text)
    if not is_table(content):
        return None  # somebody's hand; its digest tells
    decision = book.approvals[approval]["decision"] if approval in book.approvals else None
    found: Row | None = _effective(content, decision or {"changes": {}}).get("call")
    return found


def _effective(content: Mapping[str, Any], decision: Mapping[str, Any]) -> dict[str, Any]:
    """The content with the changes that were decided, in its details and where they stand in its call."""
    fields = dict(content.get("fields", ()))
    changes = {name: value for name, value in decision["changes"].items() if name in fields}
    if not changes:
        return dict(content)
    if kind_of(content) == "form":
        changed = {**content, "answers": filled_in(content, changes)}
    else:
        changed = {**content, "details": {**content["details"], **changes}}
    if content["call"] is not None:
        args = list(content["call"]["arguments"]["args"])
        kwargs = dict(content["call"]["arguments"]["kwargs"])
        for name, value in changes.items():
            if isinstance(fields[name], int):
                args[fields[name]] = value
            elif fields[name] is not None:
                kwargs[fields[name]] = value
        changed["call"] = {**content["call"], "arguments": {"args": args, "kwargs": kwargs}}
    return changed


def _digest(content: Mapping[str, Any]) -> str:
    return digest_of(f"{DIGEST_TAG}\n{spelled_out(dict(content))}")
