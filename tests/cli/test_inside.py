"""Without a server the command line opens the database itself, through the same doors."""

from pathlib import Path

import pytest

from tests.cli.ground import SECONDS_MAX, Shop, new_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return new_shop(tmp_path)


@pytest.mark.slow
def test_a_workflow_that_was_not_named_is_not_there(shop: Shop) -> None:
    said = shop.says("run", "greet", "-i", "name=Ana", "--wait")

    assert (said.code, said.out) == (2, "")
    assert "[unknown_workflow]" in said.err


@pytest.mark.parametrize(
    ("module", "told"),
    [
        pytest.param("shp", "There is no module shp", id="not there"),
        pytest.param("json", "json holds no workflow", id="holds none"),
        pytest.param("broken", "ZeroDivisionError", id="breaks when it is imported"),
    ],
)
@pytest.mark.slow
def test_workflows_that_cannot_be_imported_are_refused(shop: Shop, module: str, told: str) -> None:
    (shop.folder / "broken.py").write_text("1 / 0\n", encoding="utf-8")

    said = shop.says("run", "greet", "--workflows", module)

    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_a_mistake_in_the_configuration_stops_everything(shop: Shop) -> None:
    (shop.folder / "signoff.toml").write_text("[people.ana]\nnme = 1\n", encoding="utf-8")

    said = shop.says("runs", "list")

    assert said.code == 2
    assert "signoff.toml, line 2: " in said.err


@pytest.mark.slow
def test_a_channel_that_cannot_work_stops_everything(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, SIGNOFF_SLACK_BOT_TOKEN="xoxp-1", SIGNOFF_SLACK_SIGNING_SECRET="x")

    said = shop.says("runs", "list")

    assert said.code == 2
    assert "SIGNOFF_SLACK_BOT_TOKEN" in said.err
    assert "xoxp-1" not in said.err


@pytest.mark.slow
def test_signing_in_needs_a_server_that_answers_the_link(shop: Shop) -> None:
    said = shop.says("login", "ana")

    assert (said.code, said.out) == (1, "")
    assert "signoff serve" in said.err


@pytest.mark.slow
def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, SIGNOFF_DATABASE_URL="sqlite:///nowhere/signoff.db")

    said = shop.says("runs", "list")

    assert said.code in {1, 2}
    assert "nowhere" in said.err
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_the_first_key_is_made_before_the_first_start(shop: Shop) -> None:
    said = shop.says("keys", "create", "--name", "agent", "--scope", "read")

    assert said.code == 0
    assert said.out.startswith("sk_")
    assert shop.database.stat().st_mode & 0o077 == 0


def test_a_run_is_driven_to_its_end_while_somebody_waits(shop: Shop) -> None:
    said = shop.says("run", "greet", "-i", "name=Ana", "--workflows", "shop", "--wait", "--json")

    assert said.code == 0
    assert said.json["result"] == "hello Ana"


@pytest.mark.slow
def test_a_run_that_waits_here_answers_other_terminals(shop: Shop) -> None:
    process = shop.begin("run", "pay", "-i", "order=17", "--workflows", "shop", "--wait")
    assert process.stderr is not None
    approval = ""
    while not approval:
        line = process.stderr.readline()
        assert line
        approval = next((word.strip(".\n") for word in line.split() if word[:4] == "apr_"), "")

    taken = shop.says("approvals", "cancel", approval, "--reason", "ordered twice")
    out, _ = process.communicate(timeout=SECONDS_MAX)

    assert taken.code == 0
    assert process.returncode == 1
    assert "rolled back" in out


@pytest.mark.slow
def test_a_verb_that_brings_no_code_complains_of_none(shop: Shop) -> None:
    chores = "from signoff import task\n\n\n@task\ndef dust() -> str:\n    return 'clean'\n"
    (shop.folder / "chores.py").write_text(chores, encoding="utf-8")
    tidy = "name: tidy\nsteps:\n  - {name: dust, type: task, task: dust}\n"
    (shop.folder / "tidy.yaml").write_text(tidy, encoding="utf-8")

    begun = shop.says("run", "tidy.yaml", "--workflows", "chores")
    listed = shop.says("runs", "list")

    assert (begun.code, listed.code) == (0, 0)
    assert "tidy" in listed.out
    assert "not_held" not in listed.err
