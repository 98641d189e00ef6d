"""Pages to look at: every template with data in every state that changes what it shows."""

from typing import Any, Final

NOW: Final = "2026-11-20T12:00:00.000000Z"
HOSTILE: Final = '<script>alert(1)</script> "quoted" \u202egnp.exe & <b>bold</b> ' + "long " * 30
LATER: Final = "2026-11-20T15:12:00.000000Z"
EARLIER: Final = "2026-11-20T11:48:00.000000Z"
DIGEST: Final = "sha256:" + "3f9a12c4b7e08d51" * 4
PEOPLE: Final = {"ana": "Ana Diaz", "bo": "Bo Chen", "chen": "Chen Wei", "eve": "Eve Okoro"}
CHOICES: Final = ["approve", "reject", "request_changes", "abstain"]
VOTE: Final = {"may": True, "why": "", "choices": CHOICES}

Json = dict[str, Any]


def vote(person: str, choice: str, **more: Any) -> Json:
    return {
        "person": person, "choice": choice, "comment": None, "changes": None, "channel": "slack",
        "identified_by": "linked Slack account", "at": EARLIER, "counted": True, "late": False,
        "version": 1, "digest": DIGEST, **more,
    }  # fmt: skip


PLAN: Final[Json] = {
    "to": "start", "position": 0, "undoes": [{"step": "reserve_stock", "undo": "shop:release", "needs": None}],
    "stays": [{"step": "find_charge", "why": "has no undo"}, {"step": "tell the customer", "why": "is irreversible"}],
}  # fmt: skip


def approval(**more: Any) -> Json:
    return {
        "id": "apr_0193a", "run": "run_0193b", "status": "open", "version": 1, "digest": DIGEST,
        "action": "refund", "title": "Refund order 17?", "kind": "binary", "risk": "medium",
        "comment": "optional", "requester": "person:eve", "requester_name": "Eve Okoro", "approvers": ["group:finance"],
        "form": None, "fields": None,
        "call": {"name": "shop.refunds:pay_back",
                 "arguments": {"args": ["ch_81", "620.00 USD"], "kwargs": {}}},
        "details": {"order": "17", "customer": "Marta Gómez", "amount": "620.00 USD",
                    "reason": "Arrived broken, photo attached", "items": [{"sku": "A-1", "count": 2}]},
        "progress": {"approve": {"have": 1, "need": 2}, "reject": {"have": 0, "need": 1},
                     "groups": [], "can_still": ["ana", "chen"]},
        "votes": [vote("bo", "approve", comment="Checked the photo.")], "decision": None,
        "messages": [{"channel": "slack", "target": "#approvals", "state": "posted"},
                     {"channel": "email", "target": "bo@example.com", "state": "planned"}],
        "next_rung": {"text": "reject after 4h", "due_at": LATER}, "undoes": ["reserve_stock"],
        "plan": PLAN, "on_reject": "rollback", "report": [], "opened_at": EARLIER, "expires_at": LATER,
        "status_url": "/api/approvals/apr_0193a", "page_url": "/approvals/apr_0193a", **more,
    }  # fmt: skip


def modified(**more: Any) -> Json:
    """What Bo would change, in words that want to be more than words."""
    differences = [{"field": "amount", "old": "620.00 USD", "new": "20.00 USD"},
                   {"field": HOSTILE, "old": HOSTILE, "new": f"{HOSTILE}!"}]  # fmt: skip
    changes = {each["field"]: each["new"] for each in differences}
    outcome = {
        "digest": DIGEST,
        "changes": changes,
        "differences": differences,
        "by": ["bo"],
        "have": 1,
        "need": 2,
    }
    return approval(
        kind="modify", fields=["amount", "reason"], outcomes=[outcome], differences=[],
        effective=None, votes=[vote("bo", "approve", changes=changes)], **more,
    )  # fmt: skip


def decided(status: str, by: list[str], **more: Any) -> Json:
    decision: Json = {"outcome": status, "changes": {}, "by": by, "rule": "quorum", "comment": None,
                "at": NOW, "consumed_at": None, **more}  # fmt: skip
    done = [vote("ana", "approve"), vote("bo", "approve", channel="web", identified_by="session")]
    still: Json = {
        "approve": {"have": 2, "need": 2},
        "reject": {"have": 0, "need": 1},
        "groups": [],
        "can_still": [],
    }
    return approval(id=f"apr_{status}", status=status, decision=decision, votes=done if by else [],
                    progress=still, undoes=[], plan=None, next_rung=None)  # fmt: skip


def step(position: int, name: str, status: str = "finished", **more: Any) -> Json:
    return {"position": position, "name": name, "kind": "step", "status": status, "attempts": 1,
            "started_at": "2026-11-20T11:40:00.000000Z", "ended_at": "2026-11-20T11:40:00.412000Z",
            "cost": None, "error": None, **more}  # fmt: skip


def run(**more: Any) -> Json:
    return {
        "id": "run_0193b", "workflow": "refund", "version": "3f9a12c4b7e0", "status": "waiting",
        "waiting_for": {"reason": "approval", "approval": "apr_0193a"}, "started_by": "person:eve",
        "started_by_name": "Eve Okoro",
        "input": {"order": "17", "amount": "620.00 USD"}, "result": None, "error": None,
        "created_at": EARLIER, "updated_at": EARLIER, "ended_at": None, "budget": None, "rollback": None,
        "held": None, "held_up": None,
        "steps": [step(1, "find_charge"), step(2, "reserve_stock", attempts=3, cost="0.02 USD"),
                  step(3, "before the refund", kind="checkpoint"),
                  step(4, "Refund order 17?", "waiting", kind="approval", ended_at=None)],
        "approvals": [approval()], "undoes": ["reserve_stock"],
        "checkpoints": [{"name": "before the refund", "position": 3, "artifact": "ab12", "at": EARLIER}],
        "summary": {"steps": 2, "cost": None, "tokens": None, "duration_ms": 900, "ended_because": None},
        **more,
    }  # fmt: skip


def rolled_back() -> Json:
    undone = [
        step(6, "reserve_stock", kind="compensation"),
        step(7, "find_charge", kind="compensation"),
    ]
    steps = [
        step(1, "find_charge"),
        step(2, "reserve_stock"),
        step(4, "Refund order 17?", "rejected", kind="approval"),
        *undone,
    ]
    summary = {"steps": 2, "cost": None, "tokens": None, "duration_ms": 900,
               "ended_because": "“Refund order 17?” was rejected by Bo Chen: too late."}  # fmt: skip
    why = summary["ended_because"]
    rollback = {
        "to": "start",
        "reason": why,
        "at": NOW,
        "compensations": undone,
        "cleanup": ["1 timer was cancelled"],
        "left": ["tell the customer"],
    }
    error = {"code": "rolled_back", "message": why}
    return run(status="rolled_back", waiting_for=None, steps=steps, approvals=[decided("rejected", ["bo"])],
               checkpoints=[], undoes=[], rollback=rollback, summary=summary, error=error, ended_at=NOW)  # fmt: skip


USAGE: Final[Json] = {"period": "2026-11-20", "limit": "100.00 USD", "spent": "62.00 USD", "reserved": "1.00 USD",
                      "left": "37.00 USD", "percent": 62, "forecast": "124.00 USD"}  # fmt: skip
TAMPERED: Final[Json] = {"is_whole": False, "entries": 40, "runs": 3, "anchored": 30,
                         "findings": [{"damage": "edited", "says": HOSTILE}],
                         "unanchored": {"entries": 10, "chains": 2, "since": EARLIER}}  # fmt: skip
FORM: Final = {
    "required": ["account"],
    "properties": {
        "account": {"type": "string", "title": "Cost account", "maxLength": 20},
        "why": {"type": "string", "title": "Why", "format": "multi-line", "description": "For audit."},
        "amount": {"type": "number", "title": "Amount", "minimum": 0, "maximum": 900},
        "urgent": {"type": "boolean", "title": "Urgent"},
        "speed": {"enum": ["slow", "fast"], "title": "Speed"},
        "tell": {"type": "array", "items": {"enum": ["ana", "bo"]}, "title": "Tell"},
        "by": {"type": "string", "format": "date", "title": "Until"},
    },
}  # fmt: skip
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
    approval(id="apr_4", title=HOSTILE, requester="person:" + HOSTILE,
             requester_name=HOSTILE, expires_at=None, progress=NOBODY),
]  # fmt: skip

PAGES: Final[dict[str, tuple[str, Json]]] = {
    "approval-open": _approval(approval()),
    "approval-unanswered": _approval(approval(votes=[], progress=NOBODY, call=None, undoes=[])),
    "approval-groups-high": _approval(approval(risk="high", progress=GROUPS)),
    "approval-form": _approval(approval(kind="form", form=FORM)),
    "approval-modify": _approval(modified()),
    "approval-not-mine": _approval(
        approval(), vote={**VOTE, "may": False, "why": "You asked for this, so your answer does not count."}
    ),
    "approval-answered": _approval(approval(votes=[vote("ana", "approve")], comment="required")),
    "approval-edited": _approval(approval(), seen="sha256:0"),
    "approval-approved": _approval(decided("approved", ["ana", "bo"])),
    "approval-modified": _approval(decided("approved", ["ana", "bo"], changes={"amount": "600.00 USD"})
        | {"differences": [{"field": "amount", "old": "620.00 USD", "new": "600.00 USD"}],
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
    "respond-modify": _respond(modified()),
    "respond-reject": _respond(approval(kind="modify", fields=["amount"], comment="on_reject"), choice="reject"),
    "respond-hostile": _respond(approval(title=HOSTILE, details=HUGE, call=None), person={"id": "x", "name": HOSTILE}),
    "respond-done": ("web/respond_done.html", {"approval": approval(), "recorded": True, "choice": "approve",
                     "person": {"id": "ana", "name": "Ana Diaz"}, "now": NOW,
                     "message": "Recorded. 1 of 2 approvals."}),
    "respond-late": ("web/respond_done.html", {"approval": decided("rejected", ["bo"]), "recorded": False,
                     "choice": "approve", "person": {"id": "ana", "name": "Ana Diaz"}, "now": NOW,
                     "message": "Too late: Bo Chen rejected it a minute ago."}),
    "respond-gone": ("web/respond_gone.html", {"message": "It was used up, replaced, or never existed."}),
    "runs": ("web/runs.html", {"runs": [run(), rolled_back(), run(id="run_2", status="running", waiting_for=None)],
             "tabs": TABS, "view": "open", "q": HOSTILE, "next": "c", "now": NOW}),
    "runs-empty": ("web/runs.html", {"runs": [], "tabs": TABS, "view": "open", "q": "", "next": None, "now": NOW}),
    "run-waiting": _run(run()),
    "run-rolled-back": _run(rolled_back(), verbs=[]),
    "run-new": _run(run(status="created", waiting_for=None, steps=[], approvals=[], checkpoints=[])),
    "run-completed": _run(run(status="completed", waiting_for=None, result={"receipt": HOSTILE}, approvals=[],
                              ended_at=NOW, steps=[step(1, HOSTILE)]), verbs=[]),
    "run-live": ("web/partials/run_live.html", {"run": run(), "now": NOW}),
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
        {"scope": HOSTILE, "per": "day", "then": "fail", "origin": "file", "usage": [USAGE, {**USAGE, "forecast": None}]},
        {"scope": "tenant", "per": "total", "then": "wait", "origin": "api", "usage": []}],
        "periods": ["day"], "thens": ["fail"], "csrf": "c", "now": NOW}),
    "budgets-none": ("web/budgets.html", {"budgets": [], "periods": ["day"], "thens": ["fail"], "csrf": "c", "now": NOW}),
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
              "code": "already_decided"}, "next": {"url": "/approvals", "label": "Open the inbox"}}),
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
