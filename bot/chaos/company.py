"""Who is in the chaos: a crew that votes on six doors, an operator, and rooms enough for Slack's pace."""

from collections.abc import Sequence
from typing import Final

from bot.chaos.telling import DESK
from bot.demo.slack.house import House, SlackChannel, SlackUser
from engine.ids import Ids

TEAM: Final = "T0DEMO"
CREW: Final = ("ana", "bo", "chen", "dana", "eli")
OPERATOR: Final = "olga"
PAYMENTS: Final = 25  # so many are in the budget; later ones are refused
ROOMS: Final = tuple(f"room-{number}" for number in range(30))


def user(person: str) -> str:
    """Their id in Slack."""
    return f"U0{person.upper()}"


def house(ids: Ids) -> House:
    """The Slack in which they all are."""
    return House(
        bot_token=f"xoxb-{ids.secret()}",
        signing_secret=ids.secret(),
        team_id=TEAM,
        users=[SlackUser(id=user(one), name=one, email=f"{one}@example.com") for one in CREW],
        channels=[
            SlackChannel(id=f"C0ROOM{number}", name=room) for number, room in enumerate(ROOMS)
        ],
    )


def configuration(*, hooks_url: str, hooks_secret: str, crowd: Sequence[str] = ()) -> str:
    """Their `signoff.toml`; `crowd` is a group of its own."""
    people = "".join(
        f'[people.{one}]\nname = "{one.title()}"\nemail = "{one}@example.com"\n'
        f'slack = "{TEAM}/{user(one)}"\n\n'
        for one in CREW
    )
    many = "".join(
        f'[people.{one}]\nname = "{one}"\nemail = "{one}@example.com"\n\n' for one in crowd
    )
    group = f"[groups.crowd]\nmembers = [{_quoted(crowd)}]\n" if crowd else ""
    return f"""\
{people}{many}
[people.{OPERATOR}]
name = "Olga"
email = "{OPERATOR}@example.com"

[people.{DESK}]
name = "The desk"

[groups.crew]
members = [{_quoted((*CREW, DESK))}]

{group}
[roles]
operator = ["{OPERATOR}"]

[[budgets]]
scope = "workflow:chaos.payment"
limit = {{ usd = "{PAYMENTS}.00" }}

[[budgets]]
scope = "tenant"
limit = {{ usd = "1000000.00", steps = 10000000 }}

[routes.default]
webhook = ["{DESK}"]

[webhooks.{DESK}]
url = "{hooks_url}"
secrets = ["{hooks_secret}"]
person = "{DESK}"
"""


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
