"""Approvers are written in one strict grammar, and names are compared as one expects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.approvers import (
    Approver,
    ApproverKind,
    is_email,
    is_name,
    parse_approver,
    parse_approvers,
)
from engine.rules.wording import BadRule

LONG_DOMAIN = "@" + ".".join(["b" * 60] * 3 + ["c" * 59])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing names nobody"),
        pytest.param("ana", id="a bare name says no kind"),
        pytest.param("user:ana", id="an unknown kind"),
        pytest.param("Person:ana", id="kinds are lower case"),
        pytest.param("person:", id="a kind without a name"),
        pytest.param("person:Ana", id="names are lower case"),
        pytest.param("person:-ana", id="a name begins with a letter or digit"),
        pytest.param("person:ana bo", id="no space in a name"),
        pytest.param("person:ana\n", id="no line end in a name"),
        pytest.param("person:" + "a" * 65, id="a name has at most 64 characters"),
        pytest.param("group:fin/ance", id="no slash in a name"),
        pytest.param("role:öperator", id="names are ASCII"),
        pytest.param("email:ana", id="an address has a domain"),
        pytest.param("email:ana@localhost", id="a domain has a dot"),
        pytest.param("email:ana@example..com", id="a domain has no empty label"),
        pytest.param("email:ana@-example.com", id="a label does not begin with a dash"),
        pytest.param("email:ana@example-.com", id="a label does not end with a dash"),
        pytest.param("email:.ana@example.com", id="a local part does not begin with a dot"),
        pytest.param("email:a..na@example.com", id="no two dots in a row"),
        pytest.param("email:ana@bo@example.com", id="one at sign"),
        pytest.param("email:ana@example.com\r\nBcc:x", id="no header injection"),
        pytest.param("email:Ana <ana@example.com>", id="no display name"),
        pytest.param("email:\N{KELVIN SIGN}ana@example.com", id="lower case is not a loophole"),
        pytest.param("email:" + "a" * 65 + "@example.com", id="a local part has at most 64"),
        pytest.param("email:a@" + "b" * 64 + ".com", id="a label has at most 63"),
        pytest.param("email:" + "a" * 12 + LONG_DOMAIN, id="an address has at most 254"),
        pytest.param("slack:U0AAA", id="a Slack user needs a team"),
        pytest.param("slack:t0123/U0AAA", id="Slack ids are upper case"),
        pytest.param("slack:T0123/C0AAA", id="a channel is not a person"),
        pytest.param("slack:T0123/U0AAA/X", id="nothing after the user"),
        pytest.param("manager_of:ana", id="only the requester's manager"),
        pytest.param("manager_of:", id="a manager of nobody"),
    ],
)
def test_a_bad_approver_is_refused(text: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_approver(text)

    assert refused.value.code == "bad_approver"
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        pytest.param("person:ana", "person", "ana", id="a person"),
        pytest.param("person:0.a_b-c", "person", "0.a_b-c", id="dots, dashes, underscores"),
        pytest.param("person:" + "a" * 64, "person", "a" * 64, id="64 characters"),
        pytest.param("group:finance", "group", "finance", id="a group"),
        pytest.param("role:operator", "role", "operator", id="a role"),
        pytest.param("email:Ana@Example.COM", "email", "ana@example.com", id="mail in lower case"),
        pytest.param("email:a+b.c@x-y.io", "email", "a+b.c@x-y.io", id="plus and inner dash"),
        pytest.param(
            "email:" + "a" * 11 + LONG_DOMAIN, "email", "a" * 11 + LONG_DOMAIN, id="254 characters"
        ),
        pytest.param("slack:T0123/U0AAA", "slack", "T0123/U0AAA", id="a Slack user"),
        pytest.param("slack:E0123/W0AAA", "slack", "E0123/W0AAA", id="an enterprise user"),
        pytest.param("manager_of:requester", "manager_of", "requester", id="the manager"),
        pytest.param(" person:ana ", "person", "ana", id="blanks around it do not matter"),
    ],
)
def test_an_approver_is_understood(text: str, kind: str, value: str) -> None:
    approver = parse_approver(text)

    assert approver == Approver(kind=ApproverKind(kind), value=value)
    assert str(approver) == f"{kind}:{value}"
    assert parse_approver(str(approver)) == approver


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param("", "Nobody is named", id="an empty text names nobody"),
        pytest.param([], "Nobody is named", id="an empty list names nobody"),
        pytest.param(None, "names no approvers", id="nothing at all"),
        pytest.param(7, "names no approvers", id="a number"),
        pytest.param({"person": "ana"}, "names no approvers", id="a table"),
        pytest.param(["person:ana", 7], "7 names no approver", id="a number among texts"),
        pytest.param("person:ana,", "names no approver", id="a comma too many"),
        pytest.param(["person:ana,person:bo"], "is not a person", id="commas inside a list"),
        pytest.param([f"person:p{n}" for n in range(101)], "101 approvers", id="more than 100"),
    ],
)
def test_a_bad_list_of_approvers_is_refused(raw: object, says: str) -> None:
    with pytest.raises(BadRule, match=says) as refused:
        parse_approvers(raw)

    assert refused.value.code == "bad_approver"


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        pytest.param("group:finance", ["group:finance"], id="one text"),
        pytest.param("group:b, person:a", ["group:b", "person:a"], id="commas, order kept"),
        pytest.param(["person:b", "person:a"], ["person:b", "person:a"], id="a list"),
        pytest.param(("person:a",), ["person:a"], id="a tuple"),
        pytest.param("person:a,person:b,person:a", ["person:a", "person:b"], id="nobody twice"),
        pytest.param(
            ["email:A@x.io", "email:a@x.io"], ["email:a@x.io"], id="one mailbox in two spellings"
        ),
        pytest.param(
            [f"person:p{n}" for n in range(100)],
            [f"person:p{n}" for n in range(100)],
            id="a hundred are possible",
        ),
    ],
)
def test_a_list_of_approvers_is_understood(raw: object, texts: list[str]) -> None:
    assert [str(approver) for approver in parse_approvers(raw)] == texts


@given(st.text(max_size=40))
def test_any_text_is_an_approver_that_reads_back_or_refused(text: str) -> None:
    try:
        approver = parse_approver(text)
    except BadRule:
        return
    assert parse_approver(str(approver)) == approver


@given(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True))
def test_every_name_of_the_grammar_is_a_name(name: str) -> None:
    assert is_name(name)


@given(st.emails())
def test_an_address_never_holds_what_breaks_a_header(address: str) -> None:
    if is_email(address):
        assert not set(address) & set(' \r\n\t,;<>()"\\')
