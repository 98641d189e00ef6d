"""Whatever a hand changes in the record by SQL is found, once it was anchored."""

from collections.abc import Callable

import pytest

from engine.ids import DEFAULT_TENANT
from engine.rules.chaining import Damage
from tests.audit.ground import ACME, Ground

pytestmark = pytest.mark.anyio

# What is done by SQL -> what is found, among other things. {paid} is a run that was approved and
# completed, {undone} one that was rolled back, {open} one that waits; {a…} are their approvals.
BY_SQL = {
    "an entry's data are edited": (
        "UPDATE journal SET data = replace(data, 'finance', 'x') WHERE run = '{paid}'",
        Damage.EDITED,
    ),
    "an entry's data become bytes": (
        "UPDATE journal SET data = CAST(data AS BLOB) WHERE run = '{paid}'",
        Damage.EDITED,
    ),
    "an entry's kind becomes bytes": (
        "UPDATE journal SET kind = CAST(kind AS BLOB) WHERE run = '{paid}'",
        Damage.EDITED,
    ),
    "what was asked becomes bytes": (
        "UPDATE versions SET content = CAST(content AS BLOB) WHERE approval = '{apaid}'",
        Damage.STATE,
    ),
    "the audit's kinds become bytes": (
        "UPDATE audit SET kind = CAST(kind AS BLOB), data = CAST(data AS BLOB) WHERE tenant = 'default'",
        Damage.EDITED,
    ),
    "an entry's clock is put back": (
        "UPDATE journal SET at = at - 1 WHERE run = '{paid}' AND position = 2",
        Damage.EDITED,
    ),
    "an entry's kind is edited": (
        "UPDATE journal SET kind = 'step.failed' WHERE run = '{undone}' AND position = 2",
        Damage.EDITED,
    ),
    "an entry's name is edited": (
        "UPDATE journal SET name = 'harmless' WHERE run = '{undone}' AND position = 2",
        Damage.EDITED,
    ),
    "two entries change places": (
        (
            "UPDATE journal SET position = 99 WHERE run = '{undone}' AND position = 2;"
            "UPDATE journal SET position = 2 WHERE run = '{undone}' AND position = 3;"
            "UPDATE journal SET position = 3 WHERE run = '{undone}' AND position = 99"
        ),
        Damage.UNLINKED,
    ),
    "an entry is added at the end": (
        (
            "INSERT INTO journal SELECT tenant, run, position + 1, kind, name, path, data, at, hash,"
            " 'sha256:00' FROM journal WHERE run = '{paid}' ORDER BY position DESC LIMIT 1"
        ),
        Damage.ADDED,
    ),
    "the first entry is deleted": (
        "DELETE FROM journal WHERE run = '{paid}' AND position = 0",
        Damage.MISSING,
    ),
    "an entry in the middle is deleted": (
        "DELETE FROM journal WHERE run = '{paid}' AND position = 3",
        Damage.MISSING,
    ),
    "the tail is deleted": (
        "DELETE FROM journal WHERE run = '{paid}' AND position > 4",
        Damage.CUT,
    ),
    "the tail is deleted and the run's head follows": (
        (
            "DELETE FROM journal WHERE run = '{paid}' AND position > 4;"
            "UPDATE runs SET next_position = 5, head = (SELECT hash FROM journal WHERE run = '{paid}'"
            " AND position = 4) WHERE id = '{paid}'"
        ),
        Damage.CUT,
    ),
    "a whole journal is deleted": ("DELETE FROM journal WHERE run = '{paid}'", Damage.CUT),
    "a run is deleted with all that it was": (
        (
            "DELETE FROM votes WHERE approval = '{apaid}'; DELETE FROM approvals WHERE id = '{apaid}';"
            "DELETE FROM journal WHERE run = '{paid}'; DELETE FROM runs WHERE id = '{paid}'"
        ),
        Damage.ORPHAN,
    ),
    "everything is deleted": (
        (
            "DELETE FROM votes; DELETE FROM approvals; DELETE FROM journal; DELETE FROM runs;"
            "DELETE FROM audit; DELETE FROM anchored; DELETE FROM anchors"
        ),
        Damage.REWOUND,
    ),
    "another tenant's entry is moved in": (
        "UPDATE journal SET tenant = 'default' WHERE run = '{acme}'",
        Damage.ORPHAN,
    ),
    "another tenant's run is moved in": (
        (
            "UPDATE journal SET tenant = 'acme' WHERE run = '{paid}';"
            "UPDATE runs SET tenant = 'acme' WHERE id = '{paid}'"
        ),
        Damage.ORPHAN,
    ),
    "the audit is edited": (
        "UPDATE audit SET data = replace(data, 'key 1', 'key 9') WHERE tenant = 'default'",
        Damage.EDITED,
    ),
    "the audit's first entry is deleted": (
        "DELETE FROM audit WHERE tenant = 'default' AND position = 0",
        Damage.MISSING,
    ),
    "the audit's tail is deleted": (
        "DELETE FROM audit WHERE tenant = 'default' AND position > 2",
        Damage.CUT,
    ),
    "a run's status is set": (
        "UPDATE runs SET status = 'completed', reason = NULL WHERE id = '{open}'",
        Damage.STATE,
    ),
    "an approval's status is set": (
        "UPDATE approvals SET status = 'approved' WHERE id = '{aopen}'",
        Damage.STATE,
    ),
    "what was asked is edited": (
        "UPDATE approvals SET content = replace(content, '10.00', '99.00') WHERE id = '{apaid}'",
        Damage.STATE,
    ),
    "a vote is turned round": (
        "UPDATE votes SET choice = 'reject' WHERE approval = '{apaid}' AND person = 'ana'",
        Damage.STATE,
    ),
    "a vote is deleted": (
        "DELETE FROM votes WHERE approval = '{apaid}' AND person = 'ana'",
        Damage.STATE,
    ),
    "a vote is added": (
        (
            "INSERT INTO votes SELECT 'vot_x', tenant, approval, version, 99, 'chen', choice, comment,"
            " digest, channel, identified_by, 0, 1, at, changes FROM votes WHERE approval = '{apaid}' LIMIT 1"
        ),
        Damage.STATE,
    ),
    "what became of an effect is turned round": (
        "UPDATE receipts SET state = 'failed_no_effect' WHERE request_id = 'order-17'",
        Damage.STATE,
    ),
    "an effect's result is edited": (
        "UPDATE receipts SET result = replace(result, 'made', 'not') WHERE request_id = 'order-17'",
        Damage.STATE,
    ),
    "a receipt is deleted": ("DELETE FROM receipts WHERE request_id = 'order-17'", Damage.STATE),
    "another name of an effect is deleted": (
        "DELETE FROM receipts WHERE request_id = 'again-18'",
        Damage.STATE,
    ),
    "a receipt is added": (
        (
            "CREATE TEMP TABLE copied AS SELECT * FROM receipts WHERE request_id = 'order-17';"
            "UPDATE copied SET request_id = 'order-99', execution = 'exe_99', told = NULL;"
            "INSERT INTO receipts SELECT * FROM copied"
        ),
        Damage.STATE,
    ),
    "a receipt stands on another one's entry": (
        (
            "CREATE TEMP TABLE copied AS SELECT * FROM receipts WHERE request_id = 'order-17';"
            "UPDATE copied SET request_id = 'order-99', execution = 'exe_99';"
            "INSERT INTO receipts SELECT * FROM copied"
        ),
        Damage.STATE,
    ),
    "an anchor is edited": (
        "UPDATE anchors SET statement = replace(statement, '\"chains\":', '\"chains\":1')",
        Damage.FORGED,
    ),
    "what was anchored is taken away": (
        "DELETE FROM anchored WHERE chain = '{paid}'",
        Damage.ANCHOR,
    ),
    "the newest anchor is deleted": (
        "DELETE FROM anchored WHERE anchor = 2; DELETE FROM anchors WHERE number = 2",
        Damage.REWOUND,
    ),
}


def rehashed(ground: Ground) -> None:
    ground.tamper("UPDATE journal SET name = 'x' WHERE run = '{paid}' AND position = 3")
    ground.rehash(ground.names["paid"])


def inserted(ground: Ground) -> None:
    ground.tamper(
        "UPDATE journal SET position = position + 100 WHERE run = '{paid}' AND position > 2;"
        "INSERT INTO journal SELECT tenant, run, 3, 'step.failed', name, path, data, at, '', ''"
        " FROM journal WHERE run = '{paid}' AND position = 2;"
        "UPDATE journal SET position = position - 99 WHERE run = '{paid}' AND position > 100"
    )
    ground.rehash(ground.names["paid"])


def audit_rehashed(ground: Ground) -> None:
    ground.tamper("UPDATE audit SET kind = 'nothing' WHERE tenant = 'default' AND position = 1")
    ground.rehash_audit()


WITH_NEW_HASHES: dict[str, tuple[Callable[[Ground], None], Damage]] = {
    "a suffix is hashed anew": (rehashed, Damage.REWRITTEN),
    "an entry is put between two": (inserted, Damage.REWRITTEN),
    "the audit is hashed anew": (audit_rehashed, Damage.REWRITTEN),
    "the file is put back to an older one": (Ground.rewind, Damage.REWOUND),
}


async def test_what_nobody_touched_is_whole_and_anchored(ground: Ground) -> None:
    report, other = await ground.verified(), await ground.verified(ACME)

    assert [finding.says for finding in (*report.findings, *other.findings)] == []
    assert (report.entries, report.open_chains) == (report.anchored, 0)
    assert report.entries > 30
    assert other.runs == 2


@pytest.mark.parametrize("planted", BY_SQL)
async def test_what_is_changed_by_sql_is_found(ground: Ground, planted: str) -> None:
    script, damage = BY_SQL[planted]

    ground.tamper(script)

    report = await ground.verified(DEFAULT_TENANT)
    assert damage in {finding.damage for finding in report.findings}, report.findings


@pytest.mark.parametrize("planted", WITH_NEW_HASHES)
async def test_what_is_hashed_anew_is_found(ground: Ground, planted: str) -> None:
    tamper, damage = WITH_NEW_HASHES[planted]

    tamper(ground)

    report = await ground.verified(DEFAULT_TENANT)
    assert damage in {finding.damage for finding in report.findings}, report.findings


def test_at_least_25_kinds_are_tried() -> None:
    assert len(BY_SQL) + len(WITH_NEW_HASHES) >= 25
