"""The checker finds what is planted in effects, changes, rollbacks, budgets, switches and anchors, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.chaos.checker.violations import Canary, Evidence
from tests.durability.rich import Rich

BEGUN = "run = 'run_charged' AND name = 'charge' AND kind = 'step.begun'"
ADDED = "(tenant, run, position, kind, name, path, data, at, previous, hash)"
SINCE = "at, '', '' FROM journal"
LIKE_IT = f"name, path, data, {SINCE}"

# What is planted by SQL -> how the sentence that finds it begins.
PLANTED = {
    "a change that nobody agreed to": (
        (
            "UPDATE approvals SET decision = replace(decision, '\"count\":10', '\"count\":11') "
            "WHERE run = 'run_changed'"
        ),
        "I1: apr_",
    ),
    "another digest takes effect": (
        (
            "UPDATE approvals SET decision = "
            'replace(decision, \'"effective_digest":"sha256:\', \'"effective_digest":"sha256:0\')'
        ),
        "I1: apr_",
    ),
    "another kind": (
        "UPDATE approvals SET kind = 'binary' WHERE run = 'run_changed'",
        "I1: apr_",
    ),
    "a step begins with another call": (
        (
            "UPDATE journal SET data = replace(data, '\"args\":[10]', '\"args\":[11]') "
            "WHERE run = 'run_changed' AND kind = 'step.begun'"
        ),
        "I1: run_changed, position",
    ),
    "a receipt without its approval": (
        "UPDATE receipts SET approval = 'apr_x' WHERE request_id = 'order-17'",
        "I1: receipt order-17",
    ),
    "what may happen once begins again": (
        (f"INSERT INTO journal {ADDED} SELECT tenant, run, 1000, kind, {LIKE_IT} WHERE {BEGUN}"),
        "I3: charge of run_charged, position 1000: begun again",
    ),
    "nobody settled what was unknown": (
        (
            f"INSERT INTO journal {ADDED} "
            f"SELECT tenant, run, 1000, 'effect.unknown', {LIKE_IT} WHERE {BEGUN} UNION ALL "
            f"SELECT tenant, run, 1001, 'step.finished', {LIKE_IT} WHERE {BEGUN}"
        ),
        "I3: charge of run_charged, position 1001: step.finished, and nobody settled",
    ),
    "what may be undone once is undone again": (
        (
            f"INSERT INTO journal {ADDED} SELECT tenant, run, 1000, 'step.begun', name, '7', "
            f'\'{{"undo":"u","undo_terms":{{"irreversible":true}}}}\', {SINCE} WHERE {BEGUN} '
            "UNION ALL "
            f"SELECT tenant, run, 1001, 'compensation.begun', name, '7', '{{}}', {SINCE} "
            f"WHERE {BEGUN} UNION ALL "
            f"SELECT tenant, run, 1002, 'compensation.begun', name, '7', '{{}}', {SINCE} WHERE {BEGUN}"
        ),
        "I3: the undo of charge of run_charged, position 1002: begun again",
    ),
    "a receipt of another effect": (
        "UPDATE receipts SET action = 'pay' WHERE request_id = 'order-17'",
        "I3: receipt order-17 is of another effect",
    ),
    "another name of nothing": (
        "UPDATE receipts SET same_as = 'order-99' WHERE state = 'alias'",
        "I3: receipt order-18 once more is another name of order-99",
    ),
    "a receipt denies what happened": (
        "UPDATE receipts SET state = 'failed_no_effect' WHERE request_id = 'order-17'",
        "I3: order-17 was made",
    ),
    "a claim of nobody": (
        "UPDATE receipts SET state = 'claimed', token = NULL WHERE request_id = 'order-17'",
        "I3: receipt order-17 is claimed by nobody",
    ),
    "undone in another order": (
        (
            "UPDATE journal SET path = CASE path WHEN '0' THEN '1' ELSE '0' END "
            "WHERE run = 'run_undone' AND kind = 'compensation.finished'"
        ),
        "I9: run run_undone was not undone newest first",
    ),
    "undone what never was": (
        (
            "UPDATE journal SET path = '99' WHERE run = 'run_undone' "
            "AND kind = 'compensation.finished' AND path = '1'"
        ),
        "I9: run run_undone: 99 was undone",
    ),
    "a branch is forgotten": (
        (
            "UPDATE journal SET kind = 'compensation.failed' WHERE run = 'run_family' "
            "AND kind = 'compensation.finished' AND name = 'wake'"
        ),
        "I9: run run_family is rolled back without",
    ),
    "a child is forgotten": (
        "DELETE FROM journal WHERE run = 'run_family' AND kind = 'child.undone'",
        "I9: run run_family is rolled back without",
    ),
    "a child was not undone": (
        "UPDATE runs SET status = 'failed' WHERE parent = 'run_family'",
        "I9: run run_",
    ),
    "an anchor of another entry": (
        "UPDATE anchored SET hash = 'sha256:00' WHERE chain = 'run_gated'",
        "I12: run_gated, position",
    ),
    "an anchored tail is cut": (
        (
            "DELETE FROM journal WHERE run = 'run_gated' "
            "AND position = (SELECT max(position) FROM journal WHERE run = 'run_gated')"
        ),
        "I12: run_gated, position",
    ),
    "an anchor behind an earlier one": (
        "UPDATE anchored SET position = 0 WHERE chain = 'run_nap_1' OR chain = 'audit'",
        "I12: audit, position 0, anchored by",
    ),
    "an anchor is missing": ("DELETE FROM anchors WHERE number = 1", "I12: anchor 2 of default"),
    "an anchor is another": (
        'UPDATE anchors SET statement = replace(statement, \'"previous":"sha\', \'"previous":"xha\')',
        "I12: anchor 2 of default follows",
    ),
    "a step begins under a switch": (
        (
            "UPDATE journal SET at = (SELECT at + 500000 FROM audit "
            "WHERE kind = 'kill_switch.engaged' ORDER BY position LIMIT 1) "
            "WHERE run = 'run_charged' AND kind = 'step.begun' AND name = 'deploy'"
        ),
        "I15: step.begun of run_charged",
    ),
    "a switch is forgotten": ("DELETE FROM switches", "I15: by the audit of default"),
    "more is kept back than allowed": (
        (
            "UPDATE journal SET data = replace(data, '10000000,10000000]', '90000000,90000000]'), at = at - 9 "
            "WHERE run = 'run_changed' AND kind = 'budget.reserved'"
        ),
        "I15: budget bud_",
    ),
    "more is kept back with a beginning than allowed": (
        (
            "UPDATE journal SET data = replace(data, '10000000,10000000]', '90000000,90000000]'), at = at - 9 "
            "WHERE run = 'run_charged' AND kind = 'step.begun' AND name = 'charge'"
        ),
        "I15: budget bud_",
    ),
    "less is spent than was": ("UPDATE usages SET spent = spent - 1", "I15: budget bud_"),
    "something stays kept back": (
        "UPDATE runs SET reserved = '{\"1\":{\"charges\":[]}}' WHERE id = 'run_charged'",
        "I15: run run_charged has other amounts",
    ),
    "another tenant's message": ("UPDATE messages SET tenant = 'x'", "I16: a row of messages"),
    "another tenant's money": ("UPDATE usages SET tenant = 'x'", "I16: a row of usages"),
    "another tenant's entry": (
        "UPDATE journal SET tenant = 'x' WHERE run = 'run_gated'",
        "I16: a row of journal",
    ),
    "a run that was set aside is ready": (
        (
            "UPDATE runs SET status = 'waiting', reason = 'quarantined', ready_at = 1 "
            "WHERE id = 'run_nap_1'"
        ),
        "I20: run run_nap_1 was set aside, and may be taken up",
    ),
    "a run that was set aside goes on": (
        (
            f"INSERT INTO journal {ADDED} "
            f"SELECT tenant, run, 1000, 'run.quarantined', {LIKE_IT} WHERE {BEGUN} UNION ALL "
            f"SELECT tenant, run, 1001, 'step.begun', {LIKE_IT} WHERE {BEGUN}"
        ),
        "I20: run run_charged was set aside, and step.begun followed",
    ),
    "a run is driven that was lost too often": (
        (
            "UPDATE runs SET lease_token = 'lease_x', lease_holder = 'w', lease_expires_at = 1, "
            "tries = 4 WHERE id = 'run_nap_1'"
        ),
        "I20: run run_nap_1 is driven",
    ),
}


# Planted in a form and a budget that were decided -> what is said of it.
DECIDED = {
    "an answer that was not given": (
        "UPDATE approvals SET decision = replace(decision, '\"replicas\":3', '\"replicas\":4')",
        "it holds other answers than were agreed to",
    ),
    "an answer that is none": (
        "UPDATE approvals SET decision = replace(decision, '[\"smoke\"]', '[\"odd\"]')",
        "checks was filled in with ['odd']",
    ),
    "an answer too few": (
        "UPDATE approvals SET decision = replace(decision, '\"tonight\"', 'null')",
        "window is required and was left out",
    ),
    "more than was asked": (
        "UPDATE approvals SET decision = replace(decision, '40.00 USD', '50.01 USD')",
        "50.01 USD was granted, and 50.00 USD was asked",
    ),
    "another currency": (
        "UPDATE approvals SET decision = replace(decision, '40.00 USD', '40.00 EUR')",
        "40.00 EUR was granted of 50.00 USD",
    ),
    "another amount than was agreed to": (
        "UPDATE approvals SET decision = replace(decision, '40.00 USD', '45.00 USD')",
        "takes effect with another digest",
    ),
    "answers to nothing": (
        (
            'UPDATE approvals SET decision = replace(decision, \'"changes":\', \'"form":{},"changes":\')'
            " WHERE run = 'run_granted'"
        ),
        "it was filled in, and nothing was asked",
    ),
    "a form of another kind": (
        "UPDATE approvals SET kind = 'modify' WHERE run = 'run_filled'",
        "is of the kind modify and asks for a form",
    ),
    "a step that is begun with other answers": (
        (
            "UPDATE journal SET data = replace(data, 'tonight', 'tomorrow') "
            "WHERE run = 'run_filled' AND kind = 'step.begun'"
        ),
        "roll out began with other arguments than were agreed to",
    ),
    "a step that spends more": (
        (
            "UPDATE journal SET data = replace(data, '40.00 USD', '50.00 USD') "
            "WHERE run = 'run_granted' AND kind = 'step.begun'"
        ),
        "spend began with other arguments than were agreed to",
    ),
}


def test_in_what_is_sound_nothing_is_found(rich: Rich) -> None:
    assert rich.violations() == []


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(rich: Rich, tmp_path: Path, planted: str) -> None:
    statement, sentence = PLANTED[planted]
    copy = rich.copied(tmp_path)

    copy.tamper(statement)

    found = copy.violations()
    assert any(line.startswith(sentence) for line in found), found


@pytest.mark.parametrize("planted", DECIDED)
def test_what_is_wrong_with_answers_and_grants_is_found(
    rich: Rich, tmp_path: Path, planted: str
) -> None:
    statement, said = DECIDED[planted]
    copy = rich.copied(tmp_path)

    copy.tamper(statement)

    found = copy.violations()
    assert any(line.startswith("I1: ") and said in line for line in found), found


def test_what_happened_once_too_often_is_found(rich: Rich) -> None:
    seen = rich.evidence()
    charged = next(each for each in seen.effects if each.name == "charge")
    undos = [each for each in seen.effects if each.is_undo and each.place[0] == "run_undone"]
    swapped = [replace(undos[0], at=undos[1].at + 1), replace(undos[1], at=undos[0].at - 1)]
    cases = {
        "I3: run_charged:1 may happen once": replace(seen, effects=[charged, charged]),
        "I3: order-18 was made 2 times": replace(seen, made=["order-17", "order-18", "order-18"]),
        "I3: receipt order-17 says": replace(seen, made=["order-18"]),
        "I9: the undos of run run_undone": replace(seen, effects=swapped),
    }

    for sentence, evidence in cases.items():
        found = rich.violations(evidence)

        assert any(line.startswith(sentence) for line in found), (sentence, found)


def test_a_secret_that_got_out_is_found_wherever_it_is(rich: Rich, tmp_path: Path) -> None:
    copy, canary = rich.copied(tmp_path), "xoxb-canary"
    at_home = Canary(text=canary, homes=frozenset({"meta.value"}))
    copy.tamper(f"INSERT INTO meta (key, value) VALUES ('home', '{canary}')")
    sound = copy.violations(Evidence(canaries=[at_home]))

    copy.tamper(f"UPDATE runs SET error = 'no {canary}' WHERE id = 'run_gated'")
    copy.tamper(
        "INSERT INTO artifacts VALUES "
        f"('default', 'sha256:00', 'text/plain', CAST('{canary}' AS BLOB), 0)"
    )
    found = copy.violations(Evidence(canaries=[at_home], said={"the log": f"token={canary}"}))

    assert sound == []
    places = {"runs.error", "artifacts.content", "the log"}
    assert {f"I17: a secret, xoxb-c…, is in {place}" for place in places} <= {*found}
