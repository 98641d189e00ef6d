"""What is approved: the frozen content whose canonical bytes the digest covers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.errors import Invalid
from engine.rules.approvers import Approver, parse_approver
from engine.rules.forms import Field, fields_of
from engine.rules.quorum import Quorum

KINDS: Final = ("binary", "form", "budget", "modify")
RISKS: Final = ("low", "medium", "high")
COMMENT_RULES: Final = ("optional", "on_reject", "required")
TITLE_CHARS_MAX: Final = 200
ACTION_CHARS_MAX: Final = 100
COMMENT_CHARS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules an approval was opened under; later changes of configuration do not touch them."""

    quorum: Quorum
    ladder: tuple[str, ...]
    risk: str = "medium"
    comment: str = "optional"
    allow_self: bool = False

    def to_json(self) -> dict[str, object]:
        """The policy as it is hashed."""
        return {
            "quorum": self.quorum.to_json(),
            "ladder": list(self.ladder),
            "risk": self.risk,
            "comment": self.comment,
            "allow_self": self.allow_self,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything the digest covers. `call` is the exact call, by name and arguments, or None.

    `fields` are what approvers may change or fill in, each with where in the call it stands: details
    that are marked, the amount of a budget, or what the `form` asks. `answers` are what a form was
    filled in with, which may be nothing at all; what is asked has None.
    """

    tenant: str
    action: str
    title: str
    call: Mapping[str, object] | None
    details: Mapping[str, object]
    policy: Policy
    approvers: tuple[Approver, ...]
    fields: Mapping[str, int | str | None] = field(default_factory=dict[str, int | str | None])
    is_budget: bool = False
    form: Mapping[str, object] | None = None
    answers: Mapping[str, object] | None = None

    @property
    def kind(self) -> str:
        """What approvers may do with it: answer, fill in a form, grant less, or change it as well."""
        if self.form is not None:
            return "form"
        if self.is_budget:
            return "budget"
        return "modify" if self.fields else "binary"

    @property
    def proposed(self) -> Mapping[str, object]:
        """What stands in the fields unless an approver says otherwise; None where nothing does."""
        if self.form is None:
            return {name: self.details[name] for name in self.fields}
        return {name: asked.default for name, asked in self.asked.items()}

    @property
    def form_as_asked(self) -> dict[str, object] | None:
        """The form with its fields in their order: of canonical JSON the keys are sorted."""
        if self.form is None:
            return None
        properties: Any = self.form["properties"]
        return {**self.form, "properties": {name: properties[name] for name in self.fields}}

    @property
    def asked(self) -> Mapping[str, Field]:
        """The fields of the form by name, in their order; none for another kind."""
        form = self.form_as_asked
        return {} if form is None else {each.name: each for each in fields_of(form)}

    def to_json(self) -> dict[str, object]:
        """The content as it is hashed. What belongs to another kind than binary is in it only then."""
        content: dict[str, object] = {
            "tenant": self.tenant,
            "action": self.action,
            "title": self.title,
            "call": self.call,
            "details": self.details,
            "form": self.form,
            "policy": self.policy.to_json(),
            "approvers": [str(approver) for approver in self.approvers],
        }
        # The order of the fields is part of what people see; a table has none.
        marked = [[name, where] for name, where in self.fields.items()]
        if marked:
            content["fields"] = marked
        if self.is_budget:
            content["kind"] = "budget"
        # Who took every default out agrees to something else than who left them as they were.
        if self.answers is not None:
            content["answers"] = self.answers
        return content

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Content":
        """What `to_json` gave. It is read as it was written, never guessed at."""
        policy = data["policy"]
        return cls(
            tenant=str(data["tenant"]),
            action=str(data["action"]),
            title=str(data["title"]),
            call=data["call"],
            details=data["details"],
            policy=Policy(
                quorum=Quorum.from_json(policy["quorum"]),
                ladder=tuple(policy["ladder"]),
                risk=policy["risk"],
                comment=policy["comment"],
                allow_self=policy["allow_self"],
            ),
            approvers=tuple(parse_approver(text) for text in data["approvers"]),
            fields=dict(data.get("fields", ())),
            is_budget=data.get("kind") == "budget",
            form=data.get("form"),
            answers=data.get("answers"),
        )


def check_words(*, title: str, action: str, risk: str, comment: str) -> None:
    """Refuse what could never be shown or decided.

    Raises:
        Invalid: naming the field and what is possible.
    """
    if not title.strip() or len(title) > TITLE_CHARS_MAX:
        raise Invalid(f"Give a title of 1 to {TITLE_CHARS_MAX} characters.", code="bad_title")
    if not action.strip() or len(action) > ACTION_CHARS_MAX:
        raise Invalid(f"Give an action of 1 to {ACTION_CHARS_MAX} characters.", code="bad_action")
    if risk not in RISKS:
        raise Invalid(f"risk is one of {', '.join(RISKS)}.", code="bad_risk")
    if comment not in COMMENT_RULES:
        raise Invalid(f"comment is one of {', '.join(COMMENT_RULES)}.", code="bad_comment_rule")
