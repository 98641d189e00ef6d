"""Response URLs that run out, requests that are not what they seem, and text made to deceive."""

import json
from datetime import timedelta

import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.outgoing import Reply, Sent, deliver
from bot.demo.slack.mrkdwn import Reader, live_parts, mrkdwn
from bot.demo.slack.signing import payload_of
from bot.demo.slack.standin import SlackStandIn
from bot.demo.trees import record
from tests.clock import NOON, ManualClock
from tests.demo.conftest import App
from tests.demo.test_slack_people import HERE, At, card

pytestmark = pytest.mark.anyio


async def respond(url: str, body: dict[str, object]) -> Reply:
    return await deliver(Sent(url=url, body=json.dumps(body).encode(), headers={}))


async def response_url(slack: SlackStandIn, app: App) -> str:
    await slack.people.command("U0ANA", "/approvals", channel=HERE)
    return app.form["response_url"]


async def test_a_response_url_is_good_for_five_uses(slack: SlackStandIn, app: App) -> None:
    url = await response_url(slack, app)

    replies = [await respond(url, {"text": "hello"}) for _ in range(6)]

    assert [reply.status for reply in replies] == [200] * 5 + [404]
    assert replies[-1].body == b"used_url"
    assert len(slack.whispers("U0ANA")) == 5


async def test_a_response_url_is_good_for_half_an_hour(
    slack: SlackStandIn, app: App, clock: ManualClock
) -> None:
    url = await response_url(slack, app)
    await clock.advance(timedelta(minutes=30, seconds=1))

    reply = await respond(url, {"text": "hello"})
    made_up = await respond(f"{url}x", {"text": "hello"})

    assert (reply.status, reply.body) == (404, b"expired_url")
    assert made_up.status == 404


async def test_a_response_url_says_what_it_cannot_show(slack: SlackStandIn, app: App) -> None:
    url = await response_url(slack, app)

    empty = await respond(url, {})
    blocks = await respond(url, {"blocks": [{"type": "nonsense"}]})

    assert (empty.status, empty.body) == (400, b"no_text")
    assert (blocks.status, blocks.body) == (400, b"invalid_blocks")


async def test_a_response_url_replaces_and_deletes_its_message(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    message = await card(slack, client)
    await slack.people.press("U0ANA", message, "Approve")
    url = str(app.payload["response_url"])

    await respond(url, {"replace_original": True, "text": "Approved."})
    assert (message.text, message.blocks) == ("Approved.", [])

    await respond(url, {"response_type": "in_channel", "text": "Everybody reads this."})
    await respond(url, {"delete_original": True})
    assert [found.text for found in slack.messages(HERE)] == ["Everybody reads this."]


async def test_each_forgery_is_what_it_says(
    slack: SlackStandIn, client: AsyncWebClient, clock: ManualClock
) -> None:
    await slack.people.press("U0ANA", await card(slack, client), "Approve")
    honest = slack.line.sent[-1]
    verifier = SignatureVerifier("8f7422", At(clock))
    forger = slack.forger

    def passes(sent: Sent) -> bool:
        return verifier.is_valid_request(sent.body, dict(sent.headers))

    assert passes(honest)
    for spoiled in (forger.forged, forger.tampered, forger.unsigned, forger.stale):
        assert not passes(spoiled(honest))
    assert not passes(forger.stale(honest, by=timedelta(minutes=-6)))
    other = forger.other_team(honest)
    assert passes(other)
    assert record(payload_of(other)["team"])["id"] == "T0OTHER"


async def test_the_same_request_can_be_sent_again(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    heard = await slack.people.press("U0ANA", await card(slack, client), "Approve")

    await slack.line.send(heard.sent)

    assert app.heard[-1] == app.heard[-2] or app.heard[-1][1] == app.heard[-2][1]


READER = Reader(now=NOON, timezone="Europe/Madrid", names={"U0ANA": "Ana Diaz"})


@pytest.mark.parametrize(
    ("source", "html"),
    [
        pytest.param("<script>", "&lt;script&gt;", id="a tag is words"),
        pytest.param("&lt;b&gt; &amp;", "&lt;b&gt; &amp;", id="entities once"),
        pytest.param("*b* _i_ ~s~ a*b*c", "<b>b</b> <i>i</i> <s>s</s> a*b*c", id="styles"),
        pytest.param("`<@U0ANA>`", "<code>&lt;@U0ANA&gt;</code>", id="code is inert"),
        pytest.param("> a\n> b\nc", "<blockquote>a<br>b</blockquote>c", id="quote"),
        pytest.param(
            "<@U0ANA> <!here>",
            '<span class="mention">@Ana Diaz</span> <span class="mention">@here</span>',
            id="mentions",
        ),
        pytest.param(
            "<javascript:alert(1)|here>", "&lt;javascript:alert(1)&gt;", id="a link that is code"
        ),
        pytest.param(
            f"<!date^{int(NOON.timestamp())}^{{date_short_pretty}} {{time}}|soon>",
            "<time>today 13:00</time>",
            id="a date in the reader's zone",
        ),
        pytest.param("<!date^x^{time}|soon>", "<time>soon</time>", id="a date that is none"),
        pytest.param("\ue0000\ue001", "0", id="nobody forges a placeholder"),
    ],
)
def test_mrkdwn_is_shown_and_never_harms(source: str, html: str) -> None:
    assert mrkdwn(source, READER).source == html


def test_a_link_cannot_leave_its_attribute() -> None:
    shown = mrkdwn('<https://example.com/"onload="x|here>', READER).source

    assert '"onload' not in shown
    assert "&quot;onload=&quot;x" in shown


def test_what_is_live_in_a_text_can_be_listed() -> None:
    assert live_parts("&lt;!channel&gt; `<!here>` <!channel> <https://x.y|z>") == [
        "<!channel>",
        "<https://x.y|z>",
    ]
