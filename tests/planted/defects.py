"""The planted defects: where each is put, what it makes of the line, and which tests find it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Defect:
    """One line that says something else. `finds` are paths of tests, as pytest takes them."""

    about: str
    file: str
    old: str
    new: str
    finds: str


TALLY: Final = "tests/unit/test_tally.py"
PRINT: Final = "tests/durability/test_small_print.py"
RUNS: Final = "tests/engine/test_runs.py"
LEASES: Final = "tests/durability/test_leases.py"
RECEIPTS: Final = "tests/services/test_receipts.py"
SWITCHES: Final = "tests/engine/test_switches.py"
TAMPERING: Final = "tests/audit/test_tampering.py"
EGRESS: Final = "tests/unit/test_egress.py"
SEEDS: Final = (
    "tests/chaos/test_simulation.py::test_no_seed_breaks_an_invariant_and_everything_has_happened"
)

DECIDING: Final = (
    Defect(
        "whoever asked counts",
        "engine/rules/tally.py",
        "eligible = electorate.pool - electorate.excluded",
        "eligible = electorate.pool",
        TALLY,
    ),
    Defect(
        "one rejection too few stops it",
        "engine/rules/tally.py",
        "if len(rejections) >= quorum.reject:",
        "if len(rejections) > quorum.reject:",
        TALLY,
    ),
    Defect(
        "one more than the quorum is needed",
        "engine/rules/tally.py",
        "elif have >= quorum.places:",
        "elif have > quorum.places:",
        TALLY,
    ),
    Defect(
        "the first vote of a person counts",
        "engine/rules/tally.py",
        "for vote in in_order}",
        "for vote in reversed(in_order)}",
        TALLY,
    ),
    Defect(
        "approvals of different outcomes add up",
        "engine/rules/tally.py",
        "agreeing.setdefault(vote.agrees_to, set())",
        'agreeing.setdefault("", set())',
        TALLY,
    ),
    Defect(
        "half is a majority",
        "engine/rules/quorum.py",
        "need = eligible_count // 2 + 1",
        "need = eligible_count // 2",
        "tests/unit/test_quorum.py",
    ),
    Defect(
        "nobody is a quorum",
        "engine/rules/quorum.py",
        "if not is_whole(value) or value < 1:",
        "if not is_whole(value) or value < 0:",
        "tests/unit/test_quorum.py",
    ),
    Defect(
        "a slot takes one too many",
        "engine/rules/matching.py",
        "if len(holders[slot]) < slots[slot]:",
        "if len(holders[slot]) <= slots[slot]:",
        "tests/unit/test_matching.py",
    ),
    Defect(
        "time approves at medium risk",
        "engine/rules/ladder.py",
        'if ladder[-1].verb is Verb.APPROVE and risk != "low":',
        'if ladder[-1].verb is Verb.APPROVE and risk == "high":',
        "tests/unit/test_ladder.py",
    ),
    Defect(
        "rungs that have fired come again",
        "engine/rules/ladder.py",
        "for rung in ladder[fired:]),",
        "for rung in ladder),",
        "tests/unit/test_ladder.py",
    ),
    Defect(
        "a vote at the deadline counts",
        "engine/services/votes.py",
        "row.expires_at is not None and tx.now >= row.expires_at",
        "row.expires_at is not None and tx.now > row.expires_at",
        RUNS,
    ),
    Defect(
        "whoever asked is let in by the door",
        "engine/services/votes.py",
        "if ballot.person in row.excluded:",
        "if ballot.person in ():",
        PRINT,
    ),
    Defect(
        "strangers are let in by the door",
        "engine/services/votes.py",
        "    elif not is_asked:",
        "    elif is_asked is None:",
        RUNS,
    ),
    Defect(
        "a vote for an earlier version counts",
        "engine/services/votes.py",
        "if ballot.version not in {None, row.version}:",
        "if ballot.version == 0:",
        PRINT,
    ),
    Defect(
        "a vote under a kill switch counts",
        "engine/services/votes.py",
        "halted = None if is_over else switches.no_vote_above(tx, row.tenant, row.run)",
        "halted = None",
        SWITCHES,
    ),
    Defect(
        "what has ended ends again",
        "engine/store/approvals.py",
        'where = {"id": approval, "version": version, "status": ApprovalStatus.OPEN}',
        'where = {"id": approval, "version": version}',
        PRINT,
    ),
)

BINDING: Final = (
    Defect(
        "a decision is used as often as one likes",
        "engine/store/approvals.py",
        'where = {"id": approval, "consumed_at": None}',
        'where = {"id": approval}',
        PRINT,
    ),
    Defect(
        "another call than was approved is made",
        "engine/services/driving.py",
        "same_call = effective.call is None or canonical(effective.call) == canonical(permit.call)",
        "same_call = True",
        PRINT,
    ),
    Defect(
        "another run's decision is used",
        "engine/services/driving.py",
        "if row.run != driven.run or not agreed:",
        "if not agreed:",
        PRINT,
    ),
    Defect(
        "digests of different kinds are the same",
        "engine/digest.py",
        'return sha256(tag.encode() + b"\\n" + content)',
        "return sha256(content)",
        "tests/unit/test_canonical.py",
    ),
    Defect(
        "a key that is given twice is taken",
        "engine/digest.py",
        "    if len(found) != len(pairs):",
        "    if len(found) > len(pairs):",
        "tests/unit/test_canonical.py",
    ),
)

DRIVING: Final = (
    Defect(
        "anybody writes as a driver",
        "engine/store/journal.py",
        "if token is not None and row.lease_token != token:",
        'if token == "":',
        PRINT,
    ),
    Defect(
        "anybody keeps a lease alive",
        "engine/store/leases.py",
        '{"id": run, "lease_token": tokens[run]}, kept)',
        '{"id": run}, kept)',
        LEASES,
    ),
    Defect(
        "a run is driven twice at once",
        "engine/store/leases.py",
        'or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at <= bindparam("now")),',
        "or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at.is_not(None)),",
        LEASES,
    ),
    Defect(
        "a lease lasts a moment longer than it says",
        "engine/store/leases.py",
        'or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at <= bindparam("now")),',
        'or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at < bindparam("now")),',
        LEASES,
    ),
    Defect(
        "tries are not counted",
        "engine/store/leases.py",
        "        tries=runs.c.tries + 1,",
        "        tries=runs.c.tries,",
        "tests/services/test_leases.py",
    ),
    Defect(
        "an ended run goes on",
        "engine/rules/changes.py",
        "kind in QUIET and (not shape.is_terminal or kind in AFTER_THE_END)",
        "kind in QUIET",
        "tests/unit/test_states.py",
    ),
    Defect(
        "what was lost once is lost for good",
        "engine/store/undoing.py",
        "            failures[entry.path].append(False)",
        "            failures[entry.path].extend(())",
        "tests/durability/test_undoing.py",
    ),
    Defect(
        "the oldest is undone first",
        "engine/store/undoing.py",
        "sorted(found, key=lambda each: each[:2], reverse=True)",
        "sorted(found, key=lambda each: each[:2])",
        SEEDS,
    ),
    Defect(
        "a step whose end was lost is not undone",
        "engine/store/undoing.py",
        "if end is None and failures[path] and all(failures[path]):",
        "if end is None:",
        SEEDS,
    ),
    Defect(
        "an open approval outlives the way back",
        "engine/store/going_back.py",
        "        if _opened_at(entries, row) > point.position:",
        "        if _opened_at(entries, row) < point.position:",
        "tests/engine/test_going_back.py",
    ),
    Defect(
        "it is tried once too often",
        "engine/rules/retry.py",
        "    if attempt >= retry.attempts:",
        "    if attempt > retry.attempts:",
        "tests/unit/test_retry.py",
    ),
)

GUARDING: Final = (
    Defect(
        "a claim that was not heard of is granted",
        "engine/rules/receipts.py",
        "return Standing.UNKNOWN if is_over else Standing.IN_PROGRESS",
        "return Standing.GRANTED if is_over else Standing.IN_PROGRESS",
        RECEIPTS,
    ),
    Defect(
        "an effect in progress is made again",
        "engine/rules/receipts.py",
        "return Standing.UNKNOWN if is_over else Standing.IN_PROGRESS",
        "return Standing.UNKNOWN if is_over else Standing.GRANTED",
        "tests/services/test_receipts.py",
    ),
    Defect(
        "one request id stands for two effects",
        "engine/services/claiming.py",
        "    if not same(row.fingerprint, fingerprint):",
        "    if not row.fingerprint:",
        RECEIPTS,
    ),
    Defect(
        "the limit itself is not allowed",
        "engine/rules/budget.py",
        "return self.spent + self.reserved + asked <= self.limit",
        "return self.spent + self.reserved + asked < self.limit",
        "tests/unit/test_budget.py",
    ),
    Defect(
        "what is kept back is spent twice",
        "engine/rules/budget.py",
        "return self.spent + self.reserved + asked <= self.limit",
        "return self.spent + asked <= self.limit",
        "tests/unit/test_budget.py",
    ),
    Defect(
        "a step begins under a kill switch",
        "engine/services/driving.py",
        "    switches.demand_released(tx, driven.tenant, driven.run)\n    return record",
        "    return record",
        "tests/services/test_leases.py",
    ),
    Defect(
        "the tenant's switch stops nothing",
        "engine/rules/switches.py",
        "        EVERYTHING,\n        TENANT,",
        "        EVERYTHING,",
        SWITCHES,
    ),
    Defect(
        "one person releases everything",
        "engine/services/halting.py",
        "if found == EVERYTHING and not _is_second(switch, caller):",
        "if found == EVERYTHING and switch is None:",
        SWITCHES,
    ),
    Defect(
        "a broken target is called on",
        "engine/rules/breaker.py",
        "if breaker.trips == 0 and failures < FAILURES_MAX:",
        "if breaker.trips == 0:",
        "tests/unit/test_breaker.py",
    ),
)

RECORDING: Final = (
    Defect(
        "an entry may be edited",
        "engine/rules/chaining.py",
        'if sha256(line.text.encode("utf-8", "surrogatepass")) != line.hash:',
        "if not line.hash:",
        TAMPERING,
    ),
    Defect(
        "an entry may follow another one",
        "engine/rules/chaining.py",
        "elif line.previous != self.previous:",
        "elif line.previous is None:",
        TAMPERING,
    ),
    Defect(
        "what was anchored may be rewritten",
        "engine/rules/chaining.py",
        "if anchored is not None and anchored != line.hash:",
        "if anchored is not None and not line.hash:",
        TAMPERING,
    ),
    Defect(
        "the tail may be cut",
        "engine/rules/chaining.py",
        "        if lost >= self.position:",
        "        if lost < 0:",
        TAMPERING,
    ),
    Defect(
        "rungs that were cancelled fire",
        "engine/store/timers.py",
        "            timers.c.cancelled_at.is_(None),\n            timers.c.due_at <= tx.now,",
        "            timers.c.due_at <= tx.now,",
        "tests/api/test_approvals.py::test_more_time_moves_what_has_not_happened_yet",
    ),
    Defect(
        "a decision leaves its rungs armed",
        "engine/store/endings.py",
        "    timers.cancel(tx, row.id)\n",
        "",
        "tests/durability/test_checker.py",
    ),
    Defect(
        "a decision leaves its links alive",
        "engine/store/endings.py",
        "    links.revoke_all(tx, row.id)\n",
        "",
        "tests/durability/test_checker.py",
    ),
    Defect(
        "nobody is shown the decision",
        "engine/store/endings.py",
        "    announcements.announce(tx, row, EVENTS[status])\n",
        "",
        "tests/durability/test_checker.py",
    ),
    Defect(
        "a sender that was too slow says it was sent",
        "engine/store/outbox.py",
        "            outbox.c.lease_expires_at > tx.now,\n",
        "",
        PRINT,
    ),
    Defect(
        "an update overtakes its card",
        "engine/store/dispatching.py",
        "            ~pending_beside(lt),\n",
        "",
        PRINT,
    ),
)

KEEPING_OUT: Final = (
    Defect(
        "an old request of Slack is taken",
        "channels/slack/signature.py",
        "if not (is_genuine and age <= limits.SIGNATURE_AGE.total_seconds()):",
        "if not is_genuine:",
        "tests/channels/slack/test_signature.py",
    ),
    Defect(
        "a body that nobody signed is taken",
        "channels/slack/signature.py",
        "% (timestamp.encode(), body)",
        "% (timestamp.encode(), body[:9])",
        "tests/channels/slack/test_signature.py",
    ),
    Defect(
        "any signature of a webhook is taken",
        "channels/webhook/signature.py",
        "    if not any(fits):",
        "    if not fits:",
        "tests/channels/webhook/test_signature.py",
    ),
    Defect(
        "addresses within are called",
        "engine/addresses.py",
        "return address.is_global and not (address.is_multicast or address.is_reserved)",
        "return True",
        EGRESS,
    ),
    Defect(
        "clouds' own addresses are called",
        "engine/addresses.py",
        "    if any(address in net for net in _DENIED):",
        "    if any(address in net for net in _DENIED[:1]):",
        EGRESS,
    ),
    Defect(
        "only the first address of a name is looked at",
        "engine/http.py",
        "        for address in addresses:\n",
        "        for address in addresses[:1]:\n",
        EGRESS,
    ),
    Defect(
        "markup from outside is live in Slack",
        "channels/slack/text.py",
        '.replace("<", "&lt;")',
        "",
        "tests/channels/slack/test_text.py",
    ),
    Defect(
        "a link from outside is live in a mail",
        "channels/email/wording.py",
        '    text = _SCHEME.sub(r"\\1[:]", text)\n',
        "",
        "tests/channels/email/test_wording.py",
    ),
    Defect(
        "a secret is in the log",
        "bot/logbook.py",
        '    r"|whsec_[A-Za-z0-9+/=_-]+"\n',
        "",
        "tests/cli/test_logbook.py",
    ),
    Defect(
        "another tenant's approval is found",
        "engine/store/approvals.py",
        'row = find_one(tx, approvals, {"id": approval, "tenant": tenant}, lock=lock)',
        'row = find_one(tx, approvals, {"id": approval}, lock=lock)',
        "tests/security/test_tenants.py",
    ),
    Defect(
        "another tenant's run is found",
        "engine/store/runs.py",
        'row = find_one(tx, runs, {"id": run, "tenant": tenant}, lock=lock)',
        'row = find_one(tx, runs, {"id": run}, lock=lock)',
        "tests/security/test_tenants.py",
    ),
    Defect(
        "a revoked key opens",
        "engine/store/keys.py",
        "        .values(revoked_at=tx.now)",
        "        .values(revoked_at=None)",
        "tests/services/test_keys.py",
    ),
    Defect(
        "a page that is too old decides",
        "engine/store/links.py",
        "            nonces.c.expires_at > tx.now,\n",
        "",
        "tests/services/test_links.py",
    ),
    Defect(
        "a session outlives its time",
        "engine/store/sessions.py",
        "            sessions.c.expires_at > tx.now,\n",
        "",
        "tests/services/test_sign_ins.py",
    ),
)

DEFECTS: Final = (*DECIDING, *BINDING, *DRIVING, *GUARDING, *RECORDING, *KEEPING_OUT)
