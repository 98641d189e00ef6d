"""A mistake in signoff.toml is named with its line, and all of them at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.reading import BYTES_MAX, BadConfiguration, Configuration, parse, read
from engine.errors import Invalid
from engine.ids import PersonId

SECRET = "whsec_" + "A" * 43 + "="
GOOD = f"""\
[people.ana]
name = "Ana Diaz"
email = "Ana@Example.com"
slack = "T0123/U0AAA"
timezone = "Europe/Madrid"
hours = "Mon-Fri 09:00-17:30"
manager = "bo"
[people.bo]
name = "Bo"
[groups.finance]
members = ["ana", "bo", "ana"]
[roles]
operator = ["ana"]
release-captain = []
[routes.operators]
email = ["ana"]
[routes.default]
slack = ["#approvals", "dm"]
email = ["approvers"]
webhook = ["erp"]
after = {{ email = "10m" }}
hide = {{ email = ["iban"], slack = [] }}
material = ["order", "amount"]
[webhooks.erp]
url = "https://erp.example.com/hooks"
secrets = ["{SECRET}"]
person = "bo"
"""


def problems(text: str) -> list[str]:
    _, found = parse(text.encode())
    return [f"{problem.line}: {problem.text}" for problem in found]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param('"Bo"', "3", "9: name is 3", id="a number as name"),
        pytest.param('name = "Bo"', "", "8: [people.bo] has no name", id="no name"),
        pytest.param('"Bo"', '"B\\u202eo"', "9: name is 'B\\u202eo'", id="hidden characters"),
        pytest.param('"Bo"', '" "', "9: name is ' '", id="an empty name"),
        pytest.param("email = \"Ana", "emial = \"Ana", "Did you mean `email`?", id="a mistyped key"),
        pytest.param("Ana@Example.com", "ana", "3: email is 'ana'", id="no address"),
        pytest.param("T0123/U0AAA", "@ana", "4: slack is '@ana'", id="a Slack name"),
        pytest.param("Europe/Madrid", "../../etc", "5: timezone is", id="a path as time zone"),
        pytest.param("Europe/Madrid", "Madrid", "5: timezone is 'Madrid'", id="no time zone"),
        pytest.param("09:00-17:30", "17:30-09:00", "6: hours is", id="hours that end first"),
        pytest.param("Mon-Fri 09", "Mo-Fr 09", "6: hours is", id="unknown days"),
        pytest.param('manager = "bo"', 'manager = "eve"', "7: There is no", id="unknown manager"),
        pytest.param('manager = "bo"', 'manager = "ana"', "7: ana cannot", id="their own manager"),
        pytest.param("[people.bo]", '[people."Bo L"]', "8: 'Bo L' cannot", id="a name with a space"),
        pytest.param('name = "Bo"', 'name = "Bo"\nemail = "ana@example.com"', "10: email ana@", id="a shared address"),
        pytest.param('name = "Bo"', 'name = "Bo"\nslack = "T0123/U0AAA"', "10: slack T01", id="a shared Slack user"),
        pytest.param('"bo", "ana"]', '\n"eve"]', "12: There is no [people.*] called 'eve'", id="unknown member"),
        pytest.param('"bo", "ana"]', "7]", "11: [groups.finance.members] holds 7", id="a number as member"),
        pytest.param('["ana", "bo", "ana"]', '"ana"', "11: [groups.finance.members] is 'ana'", id="a text as members"),
        pytest.param("members =", "member =", "11: 'member' is not a key", id="a mistyped key of a group"),
        pytest.param("operator =", "operators =", "13: 'operators' is nearly", id="nearly a role"),
        pytest.param("operator =", "admin =", "13: 'admin' is nearly", id="another word for a role"),
        pytest.param("[routes.default]", "[routes.defualt]", "17: 'defualt' is not a key", id="an unknown route"),
        pytest.param('["erp"]', '["sap"]', "20: There is no [webhooks.sap]", id="an unknown webhook"),
        pytest.param('email = ["ana"]', 'email = ["eve"]', "16: There is no", id="an unknown person in a route"),
        pytest.param('email = ["ana"]', 'email = ["bo"]', "16: bo has no email", id="nobody to write to"),
        pytest.param('"dm"]', '"everyone"]', "18: slack cannot go to 'everyone'", id="an unknown target"),
        pytest.param('slack = ["#', 'sms = ["#', "18: 'sms' is unknown", id="an unknown channel"),
        pytest.param('"10m"', '"soon"', "21: 'soon' is not a duration", id="no duration"),
        pytest.param('["order", "amount"]', "true", "23: material is True", id="no list of fields"),
        pytest.param("https://erp", "ftp://erp", "25: [webhooks.erp] url", id="no web address"),
        pytest.param(SECRET, "whsec_MTIz", "26: [webhooks.erp] secret 1", id="a short secret"),
        pytest.param(f'["{SECRET}"]', "[]", "26: [webhooks.erp] needs", id="no secret"),
        pytest.param(f'["{SECRET}"]', f'"{SECRET}"', "26: secrets must", id="a secret that is no list"),
        pytest.param('person = "bo"', 'person = "eve"', "27: There is no", id="an unknown voter"),
        pytest.param("[webhooks.erp]", "[webhook.erp]", "Did you mean `webhooks`?", id="an unknown section"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(old: str, new: str, says: str) -> None:
    assert GOOD.count(old) >= 1

    found = problems(GOOD.replace(old, new, 1))

    assert any(says in problem for problem in found), found
    assert not any(SECRET in problem for problem in found)


@pytest.mark.parametrize("key", ["policies"])
def test_what_belongs_to_later_versions_is_refused(key: str) -> None:
    found = problems(GOOD + f'[[{key}]]\nname = "x"\n[[{key}]]\n')

    assert found == [f"28: `{key}` is not a key of this version's signoff.toml; remove it."]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"[people", "line 1: This is not TOML", id="no TOML"),
        pytest.param(b"a = 1\na = 2", "line 2: This is not TOML", id="a key given twice"),
        pytest.param(b"ok = 1\n\xff\xfe", "line 2: This is not UTF-8", id="no UTF-8"),
        pytest.param(b"a = " + b"[" * 100_000, "line 1:", id="nested without end"),
        pytest.param(b"a = 1" + b"0" * 5_000, "line 1:", id="a number without end"),
        pytest.param(b"#" * (BYTES_MAX + 1), "line 1: The file is larger", id="a very large file"),
        pytest.param(
            b"people = 3\nroutes = 3\ngroups = []", "line 1: [people] is 3", id="no tables"
        ),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "signoff.toml"
    path.write_bytes(content)

    with pytest.raises(BadConfiguration) as refused:
        read(path)

    assert f"signoff.toml, {says}" in str(refused.value)


def test_all_mistakes_are_told_in_the_order_of_their_lines() -> None:
    text = GOOD.replace('"Bo"', "3").replace("T0123/U0AAA", "x").replace('["erp"]', '["sap"]')

    assert [line.split(":")[0] for line in problems(text)] == ["4", "9", "20"]


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="signoff init") as refused:
        read(tmp_path / "signoff.toml")

    assert refused.value.code == "no_configuration"


@given(st.text(alphabet="[]{}=\"'#\n.,ab \\", max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    configuration, found = parse(text.encode())

    assert isinstance(configuration, Configuration)
    assert all(1 <= problem.line <= text.count("\n") + 1 for problem in found)


@given(
    st.recursive(
        st.one_of(st.integers(), st.booleans(), st.just("ana"), st.floats(allow_nan=True)),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=4,
    ),
    st.sampled_from(['"Bo"', '["ana"]', '["approvers"]', '"10m"', f'["{SECRET}"]', '"bo"']),
)
def test_no_value_makes_the_reader_fail(value: object, place: str) -> None:
    written = repr(value).replace("'", '"').replace("True", "true").replace("False", "false")

    configuration, _ = parse(GOOD.replace(place, written, 1).encode())

    assert isinstance(configuration, Configuration)


@pytest.mark.parametrize("spell", [str, lambda text: text.replace("\n", "\r\n")])
def test_a_good_file_is_read_whole(tmp_path: Path, spell: type[str]) -> None:
    path = tmp_path / "signoff.toml"
    path.write_bytes(b"\xef\xbb\xbf" + spell(GOOD).encode())

    found = read(path)

    ana, bo = found.directory.people
    assert (ana.email, ana.slack, ana.manager) == ("ana@example.com", "T0123/U0AAA", "bo")
    assert (ana.hours, ana.timezone, bo.email) == ("Mon-Fri 09:00-17:30", "Europe/Madrid", None)
    assert found.directory.groups == {"finance": {PersonId("ana"), PersonId("bo")}}
    assert found.directory.roles == {"operator": {PersonId("ana")}, "release-captain": set()}
    assert found.directory.routes["default"]["after"] == {"email": "10m"}
    assert [(hook.name, hook.person) for hook in found.webhooks] == [("erp", "bo")]


def test_an_empty_file_is_a_configuration() -> None:
    assert parse(b"") == (Configuration(), ())
