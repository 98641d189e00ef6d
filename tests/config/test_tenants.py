"""Organisations in `signoff.toml`: each with people of its own, and every mistake at its line."""

from bot.config.reading import parse
from engine.ids import PersonId, TenantId

ACME = """\
[people.ana]
name = "Ana Diaz"

[tenants.acme]
name = "Acme"
slack_teams = ["T0ACME"]

[tenants.acme.people.ana]
name = "Ana of Acme"
email = "ana@acme.example"

[tenants.acme.groups.finance]
members = ["ana"]

[tenants.acme.routes.default]
webhook = ["erp"]

[tenants.acme.webhooks.erp]
url = "https://erp.acme.example/hooks"
secrets = ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
person = "ana"
"""


def mistakes(text: str) -> list[tuple[int, str]]:
    _, problems = parse(text.encode())
    return [(each.line, each.text) for each in problems]


def test_a_mistake_in_a_tenant_names_its_own_line_and_table() -> None:
    wrong = ACME.replace('members = ["ana"]', 'members = ["bo"]').replace("email =", "emial =")

    (first, said), (second, unknown) = mistakes(wrong)

    assert (first, second) == (10, 13)
    assert "is not a key of [tenants.acme.people.ana]. Did you mean `email`?" in said
    assert "There is no [people.*] called 'bo'" in unknown


def test_a_tenant_sees_nobody_of_another() -> None:
    text = ACME.replace("[tenants.acme.people.ana]", "[tenants.acme.people.eve]")

    lines = [line for line, _ in mistakes(text)]

    assert lines == [13, 21]


def test_the_top_level_is_the_default_tenant() -> None:
    [(line, said)] = mistakes('[tenants.default]\nname = "Default"\n')

    assert (line, said.partition(" is the top")[0]) == (1, "The tenant default")


def test_an_id_is_a_short_slug() -> None:
    for name in ("a", "Acme", "a_b", "9to5", "-a", "a--b", "x" * 33):
        assert "cannot be" in mistakes(f'[tenants.{name}]\nname = "x"\n')[0][1]


def test_a_workspace_belongs_to_one_tenant() -> None:
    other = '\n[tenants.beta]\nname = "Beta"\nslack_teams = ["T0ACME"]\n'

    [(line, said)] = mistakes(ACME + other)

    assert (line, said) == (25, "T0ACME belongs to [tenants.acme] already.")


def test_two_tenants_share_no_secret() -> None:
    hook = ACME[ACME.index("[tenants.acme.webhooks") :].replace("acme", "beta")
    people = '\n[tenants.beta]\nname = "Beta"\n[tenants.beta.people.ana]\nname = "Ana"\n'

    [(_line, said)] = mistakes(ACME + people + hook)

    assert "[tenants.beta.webhooks.erp] and [tenants.acme.webhooks.erp] share a secret" in said


def test_each_tenant_has_what_stands_under_it() -> None:
    found, problems = parse(ACME.encode())
    [acme] = found.tenants

    assert problems == ()
    assert (acme.id, acme.name) == (TenantId("acme"), "Acme")
    assert [person.name for person in acme.directory.people] == ["Ana of Acme"]
    assert [person.name for person in found.directory.people] == ["Ana Diaz"]
    assert acme.directory.groups == {"finance": frozenset({PersonId("ana")})}
    assert [(hook.tenant, hook.name) for hook in found.webhooks] == [("acme", "erp")]
    assert found.slack_teams == {"T0ACME": "acme"}
