"""Pages to look at: every template with data in every state that changes what it shows."""

from typing import Any, Final

from bot.web.form_fields import Sent
from tests.web.shown import (
    DIGEST,
    EARLIER,
    HOSTILE,
    LATER,
    NOW,
    PLAN,
    Json,
    approval,
    decided,
    modified,
    rolled_back,
    run,
    step,
    vote,
)

PEOPLE: Final = {"ana": "Ana Diaz", "bo": "Bo Chen", "chen": "Chen Wei", "eve": "Eve Okoro"}
CHOICES: Final = ["approve", "reject", "request_changes", "abstain"]
VOTE: Final = {"may": True, "why": "", "choices": CHOICES}

USAGE: Final[Json] = {"period": "2026-11-20", "limit": "100.00 USD", "spent": "62.00 USD", "reserved": "1.00 USD",
                      "left": "37.00 USD", "percent": 62, "forecast": "124.00 USD"}  # fmt: skip
TAMPERED: Final[Json] = {"is_whole": False, "entries": 40, "runs": 3, "anchored": 30,
                         "findings": [{"damage": "edited", "says": HOSTILE}],
                         "unanchored": {"entries": 10, "chains": 2, "since": EARLIER}}  # fmt: skip
CASE: Final[Json] = {
    "id": "cas_1", "title": HOSTILE, "status": "final", "outcome": HOSTILE, "outcomes": [],
    "enough": "0.80", "sources": 2, "otherwise": "majority", "opened_by": "key:agent",
    "opened_at": EARLIER, "given_up": None, "expires_at": NOW, "settlement": None, "unanswered": False,
    "decision": {"decided_by": "consensus", "who": [HOSTILE], "reason": HOSTILE, "at": NOW},
    "question": {"approval": "apr_1"},
    "standing": {"heard": 2, "tally": [{"outcome": HOSTILE, "agreement": "0.95", "sources": [HOSTILE]}]},
    "signals": [{"source": HOSTILE, "by": "key:a", "outcome": HOSTILE, "confidence": "0.90", "received_at": EARLIER,
                 "late": False, "current": True}],
}  # fmt: skip
FORM: Final = {
    "required": ["account"],
    "properties": {
        "account": {"type": "string", "title": "Cost account", "maxLength": 20},
        "why": {"type": "string", "title": "Why", "format": "multi-line", "description": "For audit."},
        "amount": {"type": "number", "title": "Amount", "minimum": 0, "maximum": 900},
        "urgent": {"type": "boolean", "title": "<b>Urgent</b>"},
        "speed": {"type": "string", "enum": ["slow", "<b>fast</b>"], "title": "Speed"},
        "place": {"type": "string", "enum": list("abcdef"), "title": "Place", "default": "b"},
        "tell": {"type": "array", "items": {"enum": ["ana", "bo"]}, "title": "Tell"},
        "by": {"type": "string", "format": "date", "title": "Until"},
    },
}  # fmt: skip
ASKED: Final[Json] = {
    "kind": "form",
    "form": FORM,
    "proposed": {**dict.fromkeys(FORM["properties"]), "place": "b"},
}
FILLED: Final[Json] = {
    "account": "<b>4711</b>",
    "speed": "slow",
    "tell": ["ana", "bo"],
    "urgent": True,
    "place": "b",
}
FORMED: Final[Json] = {
    **ASKED,
    "votes": [vote("bo", "approve", changes=FILLED, form=FILLED), vote("eve", "reject")],
    "outcomes": [{"digest": DIGEST, "changes": FILLED, "by": ["bo"], "have": 1, "need": 2}],
}
SENT: Final = Sent(
    choice="approve", comment="<b>c</b>", field="amount", refusal="<b>no</b>",
    typed={"form.account": "<b>x</b>", "form.amount": "many", "form.by": "soon", "form.tell": "bo"},
)  # fmt: skip
GRANTING: Final[Json] = {
    "kind": "budget",
    "fields": ["amount"],
    "details": {"amount": "50000.00", "currency": "USD"},
}
GROUPS: Final = {
    "approve": {"have": 1, "need": 3}, "reject": {"have": 0, "need": 1}, "can_still": ["ana", "chen"],
    "groups": [{"name": "security", "have": 1, "need": 1}, {"name": "release", "have": 0, "need": 2}],
}  # fmt: skip
NOBODY: Final = {"approve": {"have": 0, "need": 2}, "reject": {"have": 0, "need": 1}, "groups": [],
                 "can_still": ["ana", "bo", "chen"]}  # fmt: skip
HUGE: Final = {
    "log": "line of a log <b>\n" * 600,
    "plan": {"change": ["x" * 400] * 20},
    HOSTILE: HOSTILE,
}
TABS: Final = [{"key": "open", "label": "Open", "count": 3}, {"key": "mine", "label": "Mine", "count": 1},
               {"key": "decided", "label": "Decided", "count": None}]  # fmt: skip
TIMELINE: Final = [
    {"at": EARLIER, "who": None, "what": "Opened under the policy “refunds above 500”."},
    {"at": EARLIER, "who": "ana", "what": "approved in Slack."},
]
ENTRY: Final = {"position": 4, "kind": "step.completed", "name": "find_charge", "at": EARLIER,
                "data": {"result": {"charge": "ch_81"}}, "hash": "9c1d" * 16, "previous": "77ab" * 16}  # fmt: skip
SWITCH: Final[Json] = {"scope": "tenant", "reason": HOSTILE, "engaged_by": HOSTILE, "engaged_at": NOW,
                       "release_asked_by": None, "release_asked_at": None}  # fmt: skip
DELIVERY: Final = {"id": "out_1", "channel": "email", "address": "bo@example.com", "kind": "post",
                   "status": "dead", "attempts": 9, "due_at": LATER, "event": "approval.opened",
                   "error": "550 5.1.1 mailbox unavailable", "approval": "apr_0193a"}  # fmt: skip


def _approval(shown: Json, **more: Any) -> tuple[str, Json]:
    context = {"approval": shown, "seen": shown["digest"], "vote": VOTE, "timeline": TIMELINE,
               "now": NOW, **more}  # fmt: skip
    return "web/approval.html", context


def _respond(shown: Json, **more: Any) -> tuple[str, Json]:
    context: Json = {"approval": shown, "action": "/respond/tok", "person": {"id": "ana", "name": "Ana Diaz"},
                     "choices": CHOICES, "choice": "approve", "nonce": "n0", "now": NOW, **more}  # fmt: skip
    return "web/respond.html", context


def _inbox(shown: list[Json], **more: Any) -> tuple[str, Json]:
    return "web/inbox.html", {"approvals": shown, "tabs": TABS, "view": "open", "q": "", "next": None,
                              "now": NOW, **more}  # fmt: skip


def _run(shown: Json, **more: Any) -> tuple[str, Json]:
    return "web/run.html", {
        "run": shown,
        "journal": [ENTRY],
        "verbs": ["pause", "cancel"],
        "labels": {"cancel": "Cancel the run"},
        "outline": [],
        "now": NOW,
        **more,
    }


_MANY = [
    approval(id="apr_1", risk="high", title="Delete the production index “orders-2024”?", action="delete_index"),
    approval(id="apr_2", title="Refund order 17?"),
    approval(id="apr_3", risk="low", title="Publish the release notes of 4.2", progress=GROUPS,
             votes=[vote("ana", "approve")]),
    approval(id="apr_5", **ASKED),
    approval(id="apr_6", **GRANTING),
    approval(id="apr_4", title=HOSTILE, requester="person:" + HOSTILE,
             requester_name=HOSTILE, expires_at=None, progress=NOBODY),
]  # fmt: skip

PAGES: Final[dict[str, tuple[str, Json]]] = {
    "approval-open": _approval(approval()),
    "approval-unanswered": _approval(approval(votes=[], progress=NOBODY, call=None, undoes=[])),
    "approval-groups-high": _approval(approval(risk="high", progress=GROUPS)),
    "approval-in-a-sandbox": _approval(approval(title="[SANDBOX] Refund order 17?")),
    "approval-form": _approval(approval(**FORMED)),
    "approval-form-refused": _approval(approval(**FORMED), sent=SENT),
    "approval-form-not-mine": _approval(approval(**FORMED), vote={**VOTE, "may": False, "why": "You are not asked."}),
    "approval-form-answered": _approval(approval(**{**FORMED, "votes": [vote("ana", "approve", form=FILLED)]})),
    "approval-filled-in": _approval({**decided("approved", ["ana", "bo"]), **ASKED, "decided": FILLED,
        "effective": {"digest": DIGEST, "details": {}, "call": None, "form": FILLED}}),
    "approval-went-on": _approval({**decided("expired", []), **ASKED, "decided": FILLED, "effective": {}}),
    "approval-budget": _approval(approval(**GRANTING)),
    "approval-granted": _approval({**decided("approved", ["ana", "bo"]), **GRANTING,
        "decided": {"amount": "40000.00"}, "differences": [{"field": "amount"}], "effective": {}}),
    "approval-modify": _approval(modified()),
    "approval-not-mine": _approval(
        approval(), vote={**VOTE, "may": False, "why": "You asked for this, so your answer does not count."}
    ),
    "approval-answered": _approval(approval(votes=[vote("ana", "approve")], comment="required")),
    "approval-edited": _approval(approval(), seen="sha256:0"),
    "approval-approved": _approval(decided("approved", ["ana", "bo"])),
    "approval-modified": _approval(decided("approved", ["ana", "bo"], changes={"amount": "600.00 USD"})
        | {"differences": [{"field": "amount", "old": "620.00 USD", "new": "600.00 USD"}],
           "kind": "modify", "decided": {"amount": "600.00 USD"},
           "effective": {"digest": DIGEST, "details": {}, "call": None}}),
    "approval-rejected": _approval({**decided("rejected", ["bo"]), "report": ["reserve_stock: undone"]}),
    "approval-expired": _approval(decided("expired", [], rule="rung: reject after 4h", comment=HOSTILE)),
    "approval-changes": _approval(decided("changes_requested", ["bo"])),
    "approval-cancelled": _approval(decided("cancelled", [])),
    "approval-hostile": _approval(
        approval(title=HOSTILE, action=HOSTILE, details=HUGE, requester=HOSTILE,
                 requester_name=HOSTILE, undoes=[HOSTILE], on_reject="resume",
                 plan={**PLAN, "to": HOSTILE, "stays": [{"step": HOSTILE, "why": HOSTILE}]},
                 votes=[vote(HOSTILE, "reject", comment=HOSTILE, counted=False, changes={HOSTILE: HOSTILE})])
    ),
    "approval-live": ("web/partials/approval_live.html", {"approval": modified(), "vote": VOTE, "seen": DIGEST,
                                                          "now": NOW}),
    "inbox": _inbox(_MANY),
    "inbox-empty": _inbox([]),
    "inbox-nothing-found": _inbox([], q=HOSTILE),
    "inbox-decided": _inbox(
        [decided("approved", ["ana", "bo"]), decided("rejected", ["bo"]), decided("expired", [])],
        view="decided", next="cur+/=",
    ),
    "inbox-list": ("web/partials/inbox_list.html", _inbox(_MANY)[1]),
    "bulk-results": ("web/bulk_results.html", {"choice": "approve", "results": [
        {"id": "apr_2", "title": HOSTILE, "recorded": True, "message": "Recorded. 1 of 2 approvals."},
        {"id": "apr_3", "title": "Deploy 4.2", "recorded": False, "message": "Chen Wei already rejected it."}]}),
    "respond": _respond(approval()),
    "respond-in-a-sandbox": _respond(approval(title="[SANDBOX] Refund order 17?")),
    "respond-modify": _respond(modified()),
    "respond-form": _respond(approval(**FORMED)),
    "respond-form-refused": _respond(approval(**FORMED), sent=SENT),
    "respond-budget": _respond(approval(**GRANTING)),
    "respond-reject": _respond(approval(kind="modify", fields=["amount"], comment="on_reject"), choice="reject"),
    "respond-hostile": _respond(approval(title=HOSTILE, details=HUGE, call=None), person={"id": "x", "name": HOSTILE}),
    "respond-done": ("web/respond_done.html", {"approval": approval(), "recorded": True, "choice": "approve",
                     "person": {"id": "ana", "name": "Ana Diaz"}, "now": NOW,
                     "message": "Recorded. 1 of 2 approvals."}),
    "respond-late": ("web/respond_done.html", {"approval": decided("rejected", ["bo"]), "recorded": False,
                     "choice": "approve", "person": {"id": "ana", "name": "Ana Diaz"}, "now": NOW,
                     "message": "Too late: Bo Chen rejected it a minute ago."}),
    "respond-gone": ("web/respond_gone.html", {"message": "It was used up, replaced, or never existed."}),
    "runs": ("web/runs.html", {"runs": [
        run(), rolled_back(), run(id="run_2", status="running", waiting_for=None, sandbox=True)], "tabs": TABS,
             "view": "open", "q": HOSTILE, "next": "c", "now": NOW}),
    "runs-empty": ("web/runs.html", {"runs": [], "tabs": TABS, "view": "open", "q": "", "next": None, "now": NOW}),
    "run-waiting": _run(run()),
    "run-rolled-back": _run(rolled_back(), verbs=[]),
    "run-in-a-sandbox": _run(run(sandbox=True)),
    "run-rolled-back-in-a-sandbox": _run({**rolled_back(), "sandbox": True}, verbs=[]),
    "run-new": _run(run(status="created", waiting_for=None, steps=[], approvals=[], checkpoints=[])),
    "run-completed": _run(run(status="completed", waiting_for=None, result={"receipt": HOSTILE}, approvals=[],
                              ended_at=NOW, steps=[step(1, HOSTILE)]), verbs=[]),
    "run-in-a-tree": _run(run(above=[{"id": "run_0", "workflow": HOSTILE, "status": "waiting"}], children=[
        {"id": "run_2", "workflow": HOSTILE, "status": "completed", "path": "1.legal.0", "children": []}])),
    "run-live": ("web/partials/run_live.html", {"run": run(), "now": NOW}),
    "cases": ("web/cases.html", {"cases": [CASE, {**CASE, "outcome": None, "status": "in_reconciliation"}],
              "tabs": TABS, "view": "", "next": "cas_1", "now": NOW}),
    "cases-empty": ("web/cases.html", {"cases": [], "tabs": TABS, "view": "", "next": None, "now": NOW}),
    "case-settled": ("web/case.html", {"case": {**CASE, "status": "settled", "settlement": "exe_1"},
                     "may_resolve": False, "may_close": False, "now": NOW}),
    "case-expired": ("web/case.html", {"case": {**CASE, "status": "expired", "outcome": None, "decision": None,
                     "given_up": {"by": HOSTILE, "reason": HOSTILE, "at": NOW}},
                     "may_resolve": False, "may_close": False, "now": NOW}),
    "case-disputed": ("web/case.html", {"case": {**CASE, "status": "in_reconciliation", "outcome": None,
                      "decision": None, "unanswered": True}, "may_resolve": True, "may_close": True, "now": NOW}),
    "case-open": ("web/case.html", {"case": {**CASE, "status": "open", "outcome": None, "decision": None,
                  "question": None, "signals": [], "standing": {"heard": 0, "tally": []}},
                  "may_resolve": False, "may_close": True, "now": NOW}),
    "definitions": ("web/definitions.html", {"definitions": [
        {"name": "tidy", "version": "9f86d081884c7d65", "added_by": "person:dana", "added_at": NOW, "source": HOSTILE,
         "outline": [{"name": "sure", "type": "approval", "depth": 1, "about": HOSTILE, "when": "1 < 2"}]}]}),
    "definitions-empty": ("web/definitions.html", {"definitions": []}),
    "outbox": ("web/outbox.html", {"deliveries": [DELIVERY, {**DELIVERY, "status": "pending", "error": None},
               {**DELIVERY, "address": HOSTILE, "error": HOSTILE}], "tabs": TABS, "view": "dead", "next": None,
               "now": NOW}),
    "outbox-empty": ("web/outbox.html", {"deliveries": [], "tabs": TABS, "view": "dead", "next": None, "now": NOW}),
    "kill-switch": ("web/kill_switch.html", {"switches": [SWITCH, {**SWITCH, "scope": HOSTILE,
                    "release_asked_by": HOSTILE, "release_asked_at": NOW}], "halted": True,
                    "offered": ["tenant", "run:"], "now": NOW}),
    "kill-switch-none": ("web/kill_switch.html", {"switches": [], "halted": False, "offered": ["tenant"], "now": NOW}),
    "budgets": ("web/budgets.html", {"budgets": [
        {"scope": HOSTILE, "per": "day", "then": "fail", "origin": "file",
         "usage": [USAGE, {**USAGE, "forecast": None}]},
        {"scope": "tenant", "per": "total", "then": "wait", "origin": "api", "usage": []}],
        "periods": ["day"], "thens": ["fail"], "csrf": "c", "now": NOW}),
    "budgets-none": ("web/budgets.html", {"budgets": [],
                     "periods": ["day"], "thens": ["fail"], "csrf": "c", "now": NOW}),
    "audit": ("web/audit.html", {"entries": [{"position": 3, "kind": "vote.refused", "data": {HOSTILE: HOSTILE},
              "at": NOW, "hash": "sha256:ab"}], "kind": HOSTILE, "next": "c+/=", "key": "ed25519:ab",
              "last_anchor": {"number": 2, "at": NOW}, "report": None}),
    "audit-tampered": ("web/audit.html", {"entries": [], "kind": "", "next": None, "key": "ed25519:ab",
                       "last_anchor": None, "report": TAMPERED}),
    "sign-in": ("web/sign_in.html", {"sent": False, "email": "", "error": None}),
    "sign-in-wrong": ("web/sign_in.html", {"sent": False, "email": HOSTILE, "error": "That is no address."}),
    "sign-in-sent": ("web/sign_in.html", {"sent": True, "email": "ana@example.com", "error": None}),
    "sign-in-confirm": ("web/sign_in_confirm.html", {"action": "/sign-in/tok", "person": {"name": "Ana Diaz"}}),
    "sign-in-terminal": ("web/sign_in_confirm.html", {"action": "/sign-in/tok", "person": {"name": "Ana Diaz"},
                         "code": "BCDF-GHJK"}),
    "sign-in-terminal-done": ("web/sign_in_confirm.html", {"action": "", "person": {"name": "Ana Diaz"}, "done": True}),
    "error": ("web/error.html", {"problem": {"status": 409, "title": "Already decided", "detail": HOSTILE,
              "hint": "Look again.", "code": "already_decided"},
              "next": {"url": "/approvals", "label": "Open the inbox"}}),
    "welcome": ("web/welcome.html", {"base_url": "https://signoff.example.com"}),
    "docs": ("web/docs.html", {}),
}  # fmt: skip
WITHOUT_VIEWER: Final = ("sign-in", "respond", "error")


def context(page: str) -> Json:
    """What a route hands over for `page`: its own values and those of every page."""
    operates = page.startswith(("outbox", "kill-switch", "budgets", "audit"))
    ana = {"id": "ana", "name": "Ana Diaz", "is_operator": operates, "house": None}
    viewer = None if page.startswith(WITHOUT_VIEWER) else ana
    return {"viewer": viewer, "csrf": "c5rf", "here": "inbox", "people": PEOPLE, **PAGES[page][1]}
