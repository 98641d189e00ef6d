"""`signoff runs settle` and `signoff receipts`: what nobody knows and an operator found out; and trees of runs."""

import json
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Signoff
from tests.cli.ground import Server, until

WHY = ("--reason", "It is on the statement.")


def in_doubt(signoff: Signoff, order: str) -> str:
    """A run that does not know whether the card was charged."""
    run = signoff("run", "charge", "-i", f"order={order}").out.strip()
    until(lambda: (signoff("runs", "show", run, "--json").json["waiting_for"] or {}).get("reason"))
    return run


def result_of(signoff: Signoff, run: str) -> object:
    until(lambda: signoff("runs", "show", run, "--json").json["ended_at"])
    return signoff("runs", "show", run, "--json").json["result"]


def unknown(server: Server, key: str, request_id: str) -> str:
    """A receipt of which whoever claimed it does not know how it ended."""
    headers = {"Authorization": f"Bearer {key}"}
    asked = {"request_id": request_id, "action": "refund", "payload": {"order": "17"}}
    with httpx.Client(base_url=server.shop.url, headers=headers, trust_env=False) as tools:
        claim: Any = tools.post("/api/receipts", json=asked).json()
        ended = {"outcome": "unknown", "token": claim["token"], "error": "reset"}
        receipt = str(claim["receipt"]["execution_id"])
        answer = tools.post(f"/api/receipts/{receipt}/settle", json=ended)
    assert answer.status_code == 200
    return receipt


@pytest.fixture(scope="session")
def tools(server: Server) -> str:
    words = ("--name", "tools", "--scope", "receipts", "--owner", "person:ana")
    return server.shop.types("keys", "create", *words).out.strip()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param(["--happened"], "--reason", id="no reason"),
        pytest.param([*WHY], "--happened", id="nothing said"),
        pytest.param(["--did-not-happen", "--result", "1", *WHY], "--result", id="of nothing"),
        pytest.param(["--happened", "--result", "{", *WHY], "--result", id="no JSON"),
        pytest.param(["--happened", "--result", "NaN", *WHY], "--result", id="no number"),
    ],
)
def test_what_cannot_be_meant_settles_nothing(
    signoff: Signoff, words: list[str], named: str
) -> None:
    said = signoff("runs", "settle", "run_nowhere", *words)

    assert (said.code, said.out, named in said.err) == (2, "", True)


def test_only_what_is_unknown_is_settled(signoff: Signoff) -> None:
    run = signoff("run", "greet", "-i", "name=Ana", "--wait", "--json").json["id"]

    nowhere = signoff("runs", "settle", "run_nowhere", "--happened", *WHY)
    known = signoff("runs", "settle", run, "--happened", *WHY)

    assert (nowhere.code, "[not_found]" in nowhere.err) == (1, True)
    assert (known.code, "[not_unknown]" in known.err) == (3, True)


def test_what_happened_is_not_done_again_and_returns_what_was_found(signoff: Signoff) -> None:
    run = in_doubt(signoff, "e1")
    words = ("--happened", "--result", json.dumps("charge 1"), *WHY)

    shown = signoff("runs", "show", run).out
    said = signoff("runs", "settle", run, *words)

    assert f"signoff runs settle {run} --happened" in " ".join(shown.split())
    assert (said.code, said.out) == (0, f"{run}: what happened is not done again.\n")
    assert result_of(signoff, run) == "e1 with charge 1"


def test_what_did_not_happen_is_done_once_more(signoff: Signoff, server: Server) -> None:
    run = in_doubt(signoff, "e2")
    (server.shop.folder / "line-e2").touch()

    said = signoff("runs", "settle", run, "--did-not-happen", *WHY, "--json")

    assert (said.code, said.json["id"]) == (0, run)
    assert result_of(signoff, run) == "e2 with charge 2"


def test_a_tree_is_drawn_and_an_approval_says_whose_child_asks(signoff: Signoff) -> None:
    run = signoff("run", "batch", "--input-json", '{"orders": ["t1", "t2"]}').out.strip()
    until(lambda: len(signoff("runs", "show", run, "--json").json["children"]) == 2)
    child = signoff("runs", "show", run, "--json").json["children"][0]["id"]
    until(lambda: signoff("runs", "show", child, "--json").json["waiting_for"])
    approval = signoff("runs", "show", child, "--json").json["waiting_for"]["approval"]

    drawn = signoff("runs", "show", run).out
    shown = signoff("approvals", "show", approval).out

    assert all(word in drawn for word in ("t1:", "t2:", child))
    assert run in signoff("runs", "show", child).out
    assert "0 of 2 of batch done" in shown


def permit_of(server: Server, key: str, request_id: str) -> str:
    """A permit for the bank."""
    headers = {"Authorization": f"Bearer {key}"}
    asked = {"request_id": request_id, "action": "refund", "payload": {"order": "17"}}
    with httpx.Client(base_url=server.shop.url, headers=headers, trust_env=False) as tools:
        claim: Any = tools.post("/api/receipts", json=asked).json()
        path = f"/api/receipts/{claim['receipt']['execution_id']}/permit"
        issued = tools.post(path, json={"token": claim["token"], "audience": "bank"})
    return str(issued.json()["permit"])


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        pytest.param(["--audience", "mint"], "permit_audience", 3, id="another target"),
        pytest.param(["--payload", "{}"], "permit_effect", 3, id="another effect"),
        pytest.param(["--key", "ed25519:x"], "bad_key", 2, id="no key"),
        pytest.param(["--payload", "{"], "--payload", 2, id="no JSON"),
        pytest.param([], "", 0, id="the right one"),
    ],
)
def test_a_permit_is_checked_without_a_server(
    signoff: Signoff, server: Server, tools: str, words: list[str], code: str, exit_code: int
) -> None:
    permit = permit_of(server, tools, f"checked-{code}")
    keys = signoff("permits", "keys").out.split()
    right = ["--audience", "bank", "--action", "refund", "--payload", '{"order": "17"}']
    trusted = [] if "--key" in words else ["--key", keys[0]]

    said = signoff("permits", "verify", permit, *right, *trusted, *words)

    assert (said.code, code in said.err) == (exit_code, True)
    assert ("good until" in said.out) is (exit_code == 0)


@pytest.mark.parametrize("verb", ["show", "settle"])
def test_a_receipt_that_is_not_there_is_told(signoff: Signoff, verb: str) -> None:
    words = () if verb == "show" else ("--happened", *WHY)

    said = signoff("receipts", verb, "exe_nowhere", *words)

    assert (said.code, said.out, "[not_found]" in said.err) == (1, "", True)


def test_a_state_that_no_receipt_has_is_not_understood(signoff: Signoff) -> None:
    said = signoff("receipts", "list", "--state", "lost")

    assert (said.code, "[invalid_request]" in said.err) == (2, True)


def test_a_receipt_is_listed_shown_and_settled_once(
    signoff: Signoff, server: Server, tools: str
) -> None:
    receipt = unknown(server, tools, "order-17-refund")
    words = ("--happened", "--result", '{"refund": "ref_1"}', *WHY)

    listed = signoff("receipts", "list", "--state", "unknown")
    done = signoff("receipts", "settle", receipt, *words)
    again = signoff("receipts", "settle", receipt, "--did-not-happen", *WHY)

    assert all(word in listed.out for word in (receipt, "refund", "order-17-refund", "unknown"))
    assert (done.code, done.out) == (0, f"{receipt}: succeeded.\n")
    assert again.code == 3
    shown = signoff("receipts", "show", receipt, "--json").json
    assert (shown["state"], shown["result"]) == ("succeeded", {"refund": "ref_1"})
    assert "ref_1" in signoff("receipts", "show", receipt).out
