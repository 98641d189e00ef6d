"""What approvers made of what was asked, as pages tell it: changes, answers to a form, a granted amount."""

from collections.abc import Mapping
from typing import Any

from channels.asking import amount_of, answer_text, asked_line
from channels.saying import text_of
from engine.rules.forms import fields_of
from engine.rules.marking import AMOUNT

Json = Mapping[str, Any]


def asks(approval: Json) -> list[str]:
    """What a form asks for, a line for each field; nothing of another kind."""
    form = approval["form"]
    return [asked_line(asked) for asked in fields_of(form)] if form else []


def amount(approval: Json) -> str:
    """The amount that a budget asks for; empty for another kind."""
    return amount_of(approval["details"]) if approval["kind"] == "budget" else ""


def proposals(approval: Json) -> list[Json]:
    """What people agree to so far beside what was asked, those ahead first; every answer to a form."""
    is_form = approval["kind"] == "form"
    found: list[Json] = approval.get("outcomes", [])
    return [outcome for outcome in found if is_form or outcome["changes"]]


def decided(approval: Json) -> bool:
    """Whether approvers changed what was asked, or filled it in."""
    is_filled = approval.get("kind") == "form" and approval["decided"] is not None
    return is_filled or bool(approval.get("differences"))


def told(approval: Json, changes: Json | None) -> list[Json]:
    """What `changes` mean, a label and old and new in words for each; of a form every answer, without old."""
    if approval["kind"] == "form":
        return _filled(approval, {**approval["proposed"], **(changes or {})})
    return [
        {"label": field, "old": text_of(approval["details"].get(field)), "new": text_of(new)}
        for field, new in (changes or {}).items()
    ]


def vote_changes(vote: Json, approval: Json) -> list[Json]:
    """What one vote would change, or fills in."""
    if approval["kind"] == "form":
        return _filled(approval, vote["form"] or {})
    return told(approval, vote["changes"])


def made_of_it(approval: Json) -> str:
    """What was made of what was asked, in a word after "Approved"; a form's answers stand elsewhere."""
    if not decided(approval) or approval["kind"] == "form":
        return ""
    if approval["kind"] == "budget":
        granted = {**approval["details"], AMOUNT: approval["decided"][AMOUNT]}
        return f" for {amount_of(granted)}"
    return " with changes"


def payload(approval: Json) -> dict[str, object]:
    """The whole of what is asked, and what takes effect of it where people changed it or filled it in."""
    asked = {part: approval[part] for part in ("action", "call", "details")}
    form = {"form": approval["form"]} if approval["form"] else {}
    effective = {"effective": approval["effective"]} if decided(approval) else {}
    return {**asked, **form, **effective}


def _filled(approval: Json, filled: Json) -> list[Json]:
    return [
        {"label": asked.label, "old": None, "new": answer_text(asked, filled[asked.name])}
        for asked in fields_of(approval["form"])
        if filled.get(asked.name) is not None
    ]
