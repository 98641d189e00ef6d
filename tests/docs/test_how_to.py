"""The how-to pages: what they tell people to type works, in the order of the page."""

from pathlib import Path

import pytest

from bot.starting import write_project
from tests.architecture.sources import ROOT
from tests.docs.pages import blocks_of
from tests.docs.story import Story, ids_in
from tests.docs.test_workflows import PEOPLE
from tests.nursery import nursery

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HOW_TO = ROOT / "docs" / "how-to"
GIVEN = ("operate", "webhooks")  # something has to have happened before: told below
# One needs a database server: tests/postgres/test_roles.py starts all that the page names. Another's
# answers do not end: tests/api/test_events.py hears them. The last has nothing to type, only a
# configuration: test_blocks.py accepts it, and tests/engine/test_monitoring.py fires such rules.
ELSEWHERE = ("postgresql", "follow-events", "watch-runs")
PLAIN = [
    ROOT / "README.md",
    *sorted(page for page in HOW_TO.glob("*.md") if page.stem not in (*GIVEN, *ELSEWHERE)),
]
# What people see when they do what the page says.
SEEN = {
    "README": ("Deploying, with the consent of ana, bo", '"status":"open"'),
    "ask-from-a-script": ("Deploying, with the consent of", "approved (", '"digest":"sha256:'),
    "ask-with-a-form": ("Granted 50000.00 USD of 50000.00 USD", '"quarter": "Q1"'),
    "audit": ("Everything is as it was written",),
    "back-up": ("whole and checked after", "paused for approval", "goes on", "the chain holds"),
    "be-told-of-a-run": ('"notify_secret":"whsec_',),
    "budgets": (
        "of 100.00 USD",
        "5 steps finished, 0.50 USD, 250 tokens",
        "0.50 USD of 0.50 USD spent (100 %)",
        "the chain holds",
    ),
    "change-workflows": ("shipped desk", "goes on with version 2", "label", "shipped lamp"),
    "connect-email": ("will be sent again",),
    "connect-slack": ("/slack/events", "chat:write"),
    "define-in-yaml": ("can be added", "Granted 900.00 USD", "reserved lamp"),
    "guard-a-function": ("'refund': 'ref_1'", "paid 1 time", "['order']", "Not done. "),
    "erase-and-retain": ("dana is erased", "Everything is as it was written", "person:bo is held"),
    "irreversible-steps": ("paid out as transfer 1",),
    "keys-and-people": ("Signed in as ana", "Signed out", "is revoked"),
    "ladders-and-quorums": ("ends       ", '"title":"Open port 8444?"', '"version":2'),
    "permits": ("True paid back order-29-refund spent", "good until", '"ok":true'),
    "receipts": (
        "True executed",
        "True dedup_same_request_id",
        '"granted":true',
        "order-18-refund",
    ),
    "modify-what-is-asked": ("Refunding 620.00 USD where 620.00 USD was asked",),
    "rehearse-in-a-sandbox": ("none of its steps is done", "voucher 1", '"status":"created"'),
    "roll-back": (
        "It would go back to checkpoint migrated",
        "undoes deploy",
        "Went back to checkpoint migrated, and went on: 100% undone",
        "artifact:sha256:",
    ),
    "signals": (
        "is final: yes",
        "agreement  0.95 of 0.80",
        "blocked:resolved_provisional",
        "already_settled\nsettled",
    ),
    "split-a-run": ("published package 9 (quality: bo; security: ana)",),
    "run-in-production": ("People reach it at",),
    "when-the-database-misbehaves": ("can be written", '"ready":true'),
    "stop-everything": ("no new step begins below it", "is released"),
    "tenants": ("beta is there", "beta rests", "beta is active"),
    "trace-runs": ("run summary", "0.07 USD, 420 tokens", '"status":"created"'),
    "write-a-workflow": ("Version 7 stays.", "taken down on", "rolled back"),
}

STUBBORN = '''
"""Something whose undo fails for a while."""

from pathlib import Path

from signoff import Rejected, Run, workflow


@workflow
async def stubborn(run: Run) -> None:
    await run.step(build, undo=take_down)
    raise Rejected("apr_0")


def build() -> str:
    return "built"


def take_down(built: str | None) -> None:
    if not Path("reachable").exists():
        raise OSError("The warehouse does not answer.")
'''


@pytest.fixture
async def project(story: Story) -> Story:
    """What the how-to pages take for granted: a project, its people, a server, and a key."""
    write_project(story.folder)
    people = PEOPLE.replace('name = "Ana Diaz"', 'name = "Ana Diaz"\nemail = "ana@example.com"')
    people = people.replace('name = "Bo Larsen"', 'name = "Bo Larsen"\nemail = "bo@example.com"')
    (story.folder / "signoff.toml").write_text(people)
    (story.folder / "workflows" / "stubborn.py").write_text(STUBBORN)
    scopes = " ".join(
        f"--scope {scope}"
        for scope in ("approvals:ask", "runs:start", "receipts", "permits", "signals", "read", "operate")
    )
    made = await story.shell(f"signoff keys create --name tests {scopes} 2> /dev/null")
    story.extra["SIGNOFF_API_KEY"] = made.strip()
    return story


@pytest.fixture
def story(story: Story) -> Story:
    """Told with a `signoff` that begins at once; test_start.py types the same to an installed one."""
    story.programs = (str(nursery() / "bin"),)
    return story


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: page.stem)
async def test_what_the_page_says_works(page: Path, project: Story) -> None:
    blocks = blocks_of(page)
    modules = [
        file.removesuffix(".py").replace("/", ".")
        for block in blocks
        if (file := block.note("file") or "").startswith("workflows/")
    ]
    for block in blocks:
        if (block.note("file") or "").startswith("workflows/"):
            await project.tell(block)
    await project.serve(
        f"signoff serve --workflows workflows.hello{''.join(f',{m}' for m in modules)}"
    )

    said = await project.tell(*blocks) + project.log()

    assert [words for words in SEEN[page.stem] if words not in said] == []


async def test_operators_are_told_what_to_do(project: Story) -> None:
    await project.serve("signoff serve --workflows workflows.hello,workflows.stubborn")
    run = ids_in(await project.shell("signoff run stubborn"), "run")[0]
    await project.shell(
        f"until signoff runs journal {run} | grep -q compensation.stuck; do sleep 1; done"
    )
    (project.folder / "reachable").touch()

    said = await project.tell(*blocks_of(HOW_TO / "operate.md"))
    await project.shell(
        f"until signoff runs show {run} | grep -q 'rolled back'; do sleep 0.2; done"
    )

    assert f"{run}: goes on" in said
    assert "the chain holds" in said


async def test_a_webhook_is_answered_as_the_page_says(project: Story) -> None:
    hooks = project.world.hooks
    (project.folder / "signoff.toml").write_text(
        f"{PEOPLE}\n[webhooks.books]\nurl = '{hooks.url}'\nsecrets = ['{hooks.secrets[0]}']\n"
        "person = 'bo'\n[routes.default]\nwebhook = ['books']\n"
    )
    project.extra["SIGNOFF_WEBHOOK_ALLOW_NETS"] = "127.0.0.0/8"
    await project.serve()
    await project.shell(
        """curl --fail-with-body -s http://127.0.0.1:8080/api/approvals \
        -H "Authorization: Bearer $SIGNOFF_API_KEY" -H "Content-Type: application/json" \
        -d '{"title": "Pay?", "approvers": "group:finance"}' """
    )
    event = await hooks.arrival("approval.opened")
    project.extra |= {
        "ACTIONS_URL": str(event.actions["url"]),
        "ACTIONS_TOKEN": str(event.actions["token"]),
        "DIGEST": str(event.approval["digest"]),
    }

    said = await project.tell(*blocks_of(HOW_TO / "webhooks.md"))

    assert '"recorded":true' in said
