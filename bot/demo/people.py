"""Who is in the demo: the people of two groups, another system that may vote, and a stranger."""

from dataclasses import dataclass
from typing import Final

from bot.demo.slack.house import CHANNELS, House, SlackUser

TEAM: Final = "T0DEMO"
ROOM: Final = "#approvals"
DESK: Final = "release-desk"  # the other system, which answers by webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A person, as `signoff.toml` and Slack know them."""

    id: str
    name: str

    @property
    def email(self) -> str:
        """Their mailbox."""
        return f"{self.id}@example.com"

    @property
    def user(self) -> str:
        """Their id in Slack."""
        return f"U0{self.id.upper()}"

    @property
    def slack(self) -> str:
        """Team and user, as `signoff.toml` writes them."""
        return f"{TEAM}/{self.user}"


ANA: Final = Somebody(id="ana", name="Ana Diaz")
BO: Final = Somebody(id="bo", name="Bo Larsen")
CHEN: Final = Somebody(id="chen", name="Chen Wei")
DANA: Final = Somebody(id="dana", name="Dana Okafor")
ELI: Final = Somebody(id="eli", name="Eli Novak")
STRANGER: Final = Somebody(id="sam", name="Sam Stone")  # in Slack, and unknown to Signoff

FINANCE: Final = (ANA, BO, CHEN)
RELEASE: Final = (DANA, ELI)
KNOWN: Final = (*FINANCE, *RELEASE)


def name_of(subject: str) -> str:
    """What people call `subject`, which is a person's id, with or without `person:`."""
    names = {person.id: person.name for person in KNOWN} | {DESK: "The release desk"}
    return names.get(subject.removeprefix("person:"), subject)


def workspace(*, bot_token: str, signing_secret: str) -> House:
    """The Slack in which they all are."""
    users = [
        SlackUser(id=person.user, name=person.id, real_name=person.name, email=person.email)
        for person in (*KNOWN, STRANGER)
    ]
    return House(
        bot_token=bot_token,
        signing_secret=signing_secret,
        team_id=TEAM,
        bot_name="Signoff",
        users=users,
        channels=CHANNELS,
    )


def configuration(*, hooks_url: str, hooks_secret: str) -> str:
    """The demo's `signoff.toml`."""
    people = "\n".join(
        f'[people.{person.id}]\nname = "{person.name}"\nemail = "{person.email}"\n'
        f'slack = "{person.slack}"\n'
        for person in KNOWN
    )
    return f"""\
{people}
[people.{DESK}]                   # no mailbox, no Slack: it answers by webhook
name = "The release desk"

[groups.finance]
members = [{_quoted(FINANCE)}]

[groups.release]
members = [{_quoted(RELEASE)}, "{DESK}"]

[roles]
operator = ["{ANA.id}"]

[routes.default]
slack = ["{ROOM}", "dm"]
email = ["approvers"]
webhook = ["{DESK}"]

[routes.operators]
email = ["{ANA.id}"]

[webhooks.{DESK}]
url = "{hooks_url}"
secrets = ["{hooks_secret}"]
person = "{DESK}"
"""


def _quoted(people: tuple[Somebody, ...]) -> str:
    return ", ".join(f'"{person.id}"' for person in people)
