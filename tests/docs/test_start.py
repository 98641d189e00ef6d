"""The page that people start with, step by step: terminal, email, webhook and Slack."""

import shutil
from pathlib import Path

import httpx
import pytest

from tests.architecture.sources import ROOT
from tests.docs.conftest import telling
from tests.docs.pages import Block, blocks_of
from tests.docs.story import Story, ids_in

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

START = blocks_of(ROOT / "docs" / "start.md")


def under(*headings: str) -> list[Block]:
    return [block for block in START if block.heading in headings]


@pytest.fixture(scope="module")
async def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page up to the first approval, told once: the folder, after the server that was started."""
    folder = tmp_path_factory.mktemp("start")
    async with telling(folder) as story:
        await story.tell(*under("See it first", "A project"))
    return folder


@pytest.fixture
def begun(story: Story, project: Path) -> Story:
    """Goes on with the page in a copy of that folder; most parts begin with a start of the server."""
    shutil.copytree(project, story.folder, dirs_exist_ok=True)
    return story


async def test_a_terminal_is_enough_for_the_first_approval(begun: Story) -> None:
    await begun.serve()

    said = await begun.tell(*under("The first approval"))

    assert "Recorded. 1 of 2 approvals" in said
    assert "620.00 USD paid back for order 17" in said
    assert "the chain holds" in said


async def test_a_button_in_a_mail_leads_to_the_page_that_decides(begun: Story) -> None:
    await begun.tell(*under("By email"))

    mail = await begun.world.mail.mailbox.arrival("bo@example.com", holding="order 18")
    link = next(link for link in mail.links() if "/respond/" in link)
    async with httpx.AsyncClient() as http:
        page = (await http.get(link)).text

    assert "You act as" in page
    assert "75.00 USD" in page
    assert len(ids_in(await begun.shell("signoff approvals list"), "apr")) == 1


async def test_another_system_answers_for_chen(begun: Story) -> None:
    await begun.shell("printf '\\n[routes.default]\\n' >> signoff.toml")

    said = await begun.tell(*under("By webhook"))

    assert "1 of 2" in said
    assert "Recorded. 1 of 2 approvals" in begun.log()


async def test_a_card_in_slack_is_pressed(begun: Story) -> None:
    begun.extra |= {
        "SIGNOFF_SMTP_URL": begun.world.mail.smtp_url,
        "SIGNOFF_MAIL_FROM": "a@example.com",
    }

    said = await begun.tell(*under("By Slack"))
    slack = begun.world.slack
    card = await slack.message("approvals", holding="order 20")
    await slack.people.press("U0AAA", card, "Approve")

    assert "/slack/events" in said
    assert "1 of 2" in await begun.shell("signoff approvals list")
