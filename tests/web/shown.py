"""Approvals and runs as pages are given them."""

from typing import Any, Final

NOW: Final = "2026-11-20T12:00:00.000000Z"
HOSTILE: Final = '<script>alert(1)</script> "quoted" \u202egnp.exe & <b>bold</b> ' + "long " * 30
LATER: Final = "2026-11-20T15:12:00.000000Z"
EARLIER: Final = "2026-11-20T11:48:00.000000Z"
DIGEST: Final = "sha256:" + "3f9a12c4b7e08d51" * 4

Json = dict[str, Any]


def vote(person: str, choice: str, **more: Any) -> Json:
    return {
        "person": person, "choice": choice, "comment": None, "changes": None, "form": None, "channel": "slack",
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
        "form": None, "fields": None, "proposed": None, "decided": None, "outcomes": [],
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
        "plan": PLAN, "on_reject": "rollback", "tree": [], "children": None, "report": [],
        "opened_at": EARLIER, "expires_at": LATER,
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
        "waiting_for": {"reason": "approval", "approval": "apr_0193a"}, "started_by": "person:eve", "sandbox": False,
        "started_by_name": "Eve Okoro",
        "input": {"order": "17", "amount": "620.00 USD"}, "result": None, "error": None,
        "created_at": EARLIER, "updated_at": EARLIER, "ended_at": None, "budget": None, "rollback": None,
        "held": None, "held_up": None, "above": [], "children": [], "root": "run_0193b",
        "steps": [step(1, "find_charge"), step(2, "reserve_stock", attempts=3, cost="0.02 USD"),
                  step(3, "before the refund", kind="checkpoint"),
                  step(4, "Refund order 17?", "waiting", kind="approval", ended_at=None)],
        "approvals": [approval()], "undoes": ["reserve_stock"], "unknown": [],
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
