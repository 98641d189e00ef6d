"""Who is in the demo: a file that the server takes, and a Slack in which one more person is."""

from bot.config.reading import parse
from bot.demo import people
from bot.demo.hooks.verification import new_secret


def written() -> bytes:
    url = "http://127.0.0.1:8123/hooks/in"
    return people.configuration(hooks_url=url, hooks_secret=new_secret("s" * 32)).encode()


def test_the_stranger_is_in_slack_and_unknown_to_signoff() -> None:
    house = people.workspace(bot_token="xoxb-1", signing_secret="s")

    assert people.STRANGER.user in {user.id for user in house.users}
    assert people.STRANGER.slack not in written().decode()


def test_the_configuration_has_no_mistake() -> None:
    configuration, problems = parse(written())

    assert problems == ()
    assert configuration.directory.groups["finance"] == {"ana", "bo", "chen"}
    assert configuration.directory.groups["release"] == {"dana", "eli", people.DESK}
    assert [hook.person for hook in configuration.webhooks] == [people.DESK]


def test_everybody_with_a_mailbox_is_in_slack_under_the_same_name() -> None:
    configuration, _ = parse(written())
    house = people.workspace(bot_token="xoxb-1", signing_secret="s")

    linked = {
        person.slack: person.name for person in configuration.directory.people if person.email
    }
    assert linked == {
        f"{house.team_id}/{user.id}": user.shown
        for user in house.users
        if user.id != people.STRANGER.user
    }
