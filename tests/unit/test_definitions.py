"""A definition that cannot run is refused before anything runs, with the line, the column, and what to write."""

import json
from collections.abc import Mapping
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.definitions import BadDefinition
from engine.runtime.definitions.offered import Offered
from engine.runtime.definitions.programs import Program, compiled
from engine.runtime.definitions.reading import read
from signoff.registry import registered
from tests.engine import flows
from tests.unit.effort import within

CALLS_MAX = 1_000_000  # of functions; the costliest here makes 210,000
WHOLE = """
name: refund
inputs:
  order: string
  amount: {type: money, default: "620.00 USD"}
steps:
  - name: take
    type: task
    task: tests.engine.flows:deed
    with: {name: "take ${inputs.order}"}
    undo: tests.engine.flows:undo
    retries: 2
    timeout: 30s
  - name: big
    type: condition
    if: money(inputs.amount) > money("500.00 USD")
    then:
      - name: ask
        type: approval
        title: Refund ${inputs.amount}?
        approvers: group:finance
        quorum: 2
        ladder: ["remind after 30m", "reject after 4h"]
  - name: each
    type: for_each
    items: [a, b]
    steps:
      - name: ship
        type: task
        task: tests.engine.flows:pay
        args: ["${item} ${index}"]
  - name: both
    type: parallel
    branches:
      left: [{name: here, type: checkpoint}]
      right: [{name: there, type: checkpoint}]
result: ${steps.each}
"""


def offered(**children: tuple[str, ...]) -> Offered:
    assert flows.LEDGER is not None
    return Offered(authored=dict(registered()), children=children)


def refusal(source: str | bytes, **children: tuple[str, ...]) -> str:
    text = dedent(source) if isinstance(source, str) else source
    with within(CALLS_MAX), pytest.raises(BadDefinition) as refused:
        compiled(text, offered(**children))
    assert all(each.line > 0 and each.column > 0 for each in refused.value.problems)
    return str(refused.value)


def steps(*lines: str) -> str:
    top = ("on_", "max_")  # keys of the definition itself
    written = (line if line.startswith(top) else f"  {line}" for line in lines)
    return "\n".join(["name: x", "steps:", *written])


def test_what_is_right_is_accepted() -> None:
    program = compiled(WHOLE, offered())

    assert (program.name, len(program.version)) == ("refund", 16)
    assert "tests.engine.flows:undo" in program.functions


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param("a: &a [*a]", "repeats itself for ever", id="an alias of itself"),
        pytest.param("a: *b", "not written above", id="an alias of nothing"),
        pytest.param("a: 1\na: 2", "line 2, column 1: The key 'a' is there twice", id="twice"),
        pytest.param("a: !!python/object/apply:os.system [x]", "tag", id="a tag"),
        pytest.param("a: {b: &b x}\nc: {<<: *b}", "`<<`", id="a merge key"),
        pytest.param("? [a]\n: b", "A key is a text", id="a list as a key"),
        pytest.param("a: 9007199254740993", "as text", id="a number that JSON rounds"),
        pytest.param("a: 1e999", "as text", id="a number without end"),
        pytest.param("[" * 100_000, "nested deeper", id="depth"),
        pytest.param("- a\n" * 20_000, "at most 10000", id="length"),
        pytest.param("#" * 1_100_000, "at most 1 MiB", id="size"),
        pytest.param("a: 1\n---\nb: 2", "line 2, column 1: One file", id="two documents"),
        pytest.param("a: [1", "This is no YAML", id="an open bracket"),
        pytest.param("a: \x07", "This is no YAML", id="a bell"),
        pytest.param(b"\xff\xfe\x00", "no text", id="bytes"),
        pytest.param("", "There is nothing in it", id="nothing"),
        pytest.param("just words", "`key: value` lines", id="words"),
    ],
)
def test_what_cannot_be_read_is_refused(source: str | bytes, told: str) -> None:
    assert told in refusal(source)


def test_a_billion_laughs_are_refused_at_once() -> None:
    laughs = ['a0: &a0 ["ha", "ha"]']
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]

    assert "aliases count" in refusal("\n".join(laughs))


def test_ten_thousand_steps_are_refused_at_once() -> None:
    many = [f"- {{name: s{n}, type: checkpoint}}" for n in range(10_000)]

    assert "at most 10000 keys and values" in refusal(steps(*many))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("2026-11-21", "2026-11-21"),
        ("1:30", "1:30"),
        ("017", "017"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("true", True),
        ("'true'", "true"),
        ("~", None),
        ("7", 7),
        ("7.5", 7.5),
    ],
)
def test_a_plain_word_stays_what_it_looks_like(written: str, value: object) -> None:
    assert read(f"a: {written}\n").value == {"a": value}


def test_json_is_read_alike() -> None:
    text = '{\n\t"name": "x", "list": [1, true, null, "\\u00e9", "a\\/b"]\n}'

    assert read(text).value == {"name": "x", "list": [1, True, None, "é", "a/b"]}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(["- {name: a, type: tsk}"], "Did you mean `task`?", id="unknown type"),
        pytest.param(["- {name: a}"], "needs a `type`", id="no type"),
        pytest.param(["- a"], "a list item with a `name`", id="no step"),
        pytest.param(
            ["- {name: a, type: checkpoint, statee: {}}"], "Did you mean `state`?", id="unknown key"
        ),
        pytest.param(["- {name: In, type: checkpoint}"], "cannot be a name", id="a bad name"),
        pytest.param(["- {name: in, type: checkpoint}"], "cannot be a name", id="a CEL word"),
        pytest.param(
            ["- {name: a, type: checkpoint}"] * 2, "Another step is called `a`", id="twice"
        ),
        pytest.param(["- {name: a, type: task}"], "`task` is missing", id="missing"),
        pytest.param(
            ["- {name: a, type: task, task: 'os:system', args: [x]}"],
            "'os:system' is in no package of yours",
            id="not theirs",
        ),
        pytest.param(
            ["- {name: a, type: task, task: 'tests.engine.flows:asyncio.run'}"],
            "is another module's",
            id="borrowed",
        ),
        pytest.param(
            ["- {name: a, type: task, task: nothing}"], "No task is called", id="no such task"
        ),
        pytest.param(
            ["- {name: a, type: task, task: 'tests.engine.flows:deed', with: {nme: x}}"],
            "cannot be called like this",
            id="arguments",
        ),
        pytest.param(
            ["- {name: a, type: task, task: 'tests.engine.flows:deed', args: [x], timeout: 3}"],
            "Write a text",
            id="a timeout without a unit",
        ),
        pytest.param(
            ["- {name: a, type: task, task: 'tests.engine.flows:deed', args: [x], retries: -1}"],
            "not a number of retries",
            id="retries",
        ),
        pytest.param(
            ["- name: a", "  type: approval", "  title: Go?", "  approvers: finance"],
            "names no approver",
            id="approvers",
        ),
        pytest.param(
            ["- {name: a, type: approval, title: Go?, approvers: 'group:a', ladder: [approve after 1h]}"],
            "low risk only",
            id="ladder",
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, state: {x: '${steps.b}'}}", "- {name: b, type: checkpoint}"],
            "has no result yet",
            id="a later step",
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, state: {x: '${steps.a}'}}"], "no result yet", id="itself"
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, state: {x: '${input.b}'}}"],
            "Did you mean `inputs`?",
            id="an unknown root",
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, state: {x: '${inputs.b'}}"], "is no reference", id="open"
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, state: {x: '${1 + 1}'}}"], "is no reference", id="sums"
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, when: 'inputs.x > 1'}"], "no input `x`", id="no input"
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, when: '1 >'}"], "of the condition", id="no condition"
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, when: '1 + 1'}"], "neither true nor false", id="a sum"
        ),
        pytest.param(
            ["- {name: a, type: checkpoint, needs: [b]}", "- {name: b, type: checkpoint, needs: [a]}"],
            "wait for each other: a → b → a",
            id="a circle of steps",
        ),
        pytest.param(
            ["- {name: a, type: for_each, items: some, steps: [{name: b, type: checkpoint}]}"],
            "Write a list here",
            id="items",
        ),
        pytest.param(
            ["- {name: a, type: task, task: 'tests.engine.flows:pay', args: [x],",
             "   requires_approval: after, approval: {approvers: 'group:a'}}"],
            "must have an `undo`",
            id="a review without an undo",
        ),
        pytest.param(
            ["- {name: a, type: task, task: 'tests.engine.flows:deed', args: [x],", "   retries: {attempt: 2}}"],
            "line 4, column 15: 'attempt' is unknown. Write attempts",
            id="retries of another spelling",
        ),
        pytest.param(
            ["- name: a", "  type: for_each", "  items: [a]", "  at_once: 0", "  steps: [{name: b, type: checkpoint}]"],
            "line 6, column 14: Input should be greater than or equal to 1",
            id="none at once",
        ),
        pytest.param(
            ["- {name: a, type: http, url: 'https://a.example/${secret.BANK}'}"],
            "line 3, column 32: Secrets stand in `headers` alone",
            id="a secret in a URL",
        ),
        pytest.param(
            ["- {name: a, type: http, url: 'https://a.example', headers: {x: '${secret}'}}"],
            "line 3, column 66: Secrets stand in `headers` alone, by one name",
            id="a secret without a name",
        ),
        pytest.param(
            ["- {name: a, type: http, url: 'https://a.example', undo: {retries: 2}}"],
            "line 3, column 59: An undo is a `task`, or a `method` and a `url`",
            id="an undo of nothing",
        ),
        pytest.param(
            ["- {name: a, type: http, url: 'https://a.example', undo: {task: 'os:system'}}"],
            "line 3, column 66: 'os:system' is in no package of yours",
            id="an undo that is not theirs",
        ),
        pytest.param(
            ["- {name: a, type: checkpoint}", "on_failure: undo"],
            "line 4, column 13: ",
            id="on_failure",
        ),
        pytest.param(
            ["- {name: a, type: checkpoint}", "on_failure: {'*': undo}"],
            "line 4, column 19: ",
            id="on_failure by kind",
        ),
        pytest.param(
            ["- {name: a, type: checkpoint}", "max_rollbacks: 101"],
            "line 4, column 16: Input should be less than or equal to 100",
            id="max_rollbacks",
        ),
        pytest.param(
            ["- {name: a, type: checkpoint}", "max_rollback: 1"],
            "line 4, column 1: `max_rollback` is unknown here. Did you mean `max_rollbacks`?",
            id="max_rollbacks misspelt",
        ),
        pytest.param(
            ["- {name: a, type: approval, title: Go?, approvers: 'group:a', rollback_too: start}"],
            "Did you mean `rollback_to`?",
            id="rollback_to misspelt",
        ),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused(lines: list[str], told: str) -> None:
    assert told in refusal(steps(*lines))


def test_everything_is_told_at_once_where_it_is_written() -> None:
    said = refusal(
        WHOLE.replace("steps.each}", "steps.eech}")
        .replace("flows:pay", "flows:pya")
        .replace("inputs.order", "inputs.ordr")
    ).splitlines()

    assert [line.partition(": ")[0] for line in said] == [
        "line 10, column 18",
        "line 30, column 15",
        "line 37, column 9",
    ]
    assert "Did you mean `order`?" in said[0]


def test_workflows_that_start_each_other_are_refused() -> None:
    source = steps("- {name: a, type: child, workflow: other}")

    assert "start each other: x → other → x" in refusal(source, other=("x",))


SCRAPS = st.sampled_from(
    [*"{}[]:-,#&*!|>'\"%@`\n\t \\0", "${", "}", "steps", "type: ", "- ", "null", "\x00", "é", "${steps.take}"]
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """A good definition with a few places of it torn out, doubled, or written over."""
    text = WHOLE
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        to = min(len(text), at + draw(st.integers(0, 30)))
        middle = draw(st.sampled_from(["", text[at:to] * 2, draw(SCRAPS)]))
        text = text[:at] + middle + text[to:]
    return text


@pytest.mark.slow
@settings(max_examples=1_000, deadline=None)
@given(spoiled())
def test_a_thousand_spoiled_definitions_are_read_or_refused_in_words(text: str) -> None:
    with within(CALLS_MAX):
        found = outcome(text)

    lines = text.count("\n") + 2
    problems = found.problems if isinstance(found, BadDefinition) else ()
    assert all(0 < each.line <= lines and each.message for each in problems)


ANYTHING: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "steps", "if", "then", "with"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["name", "inputs", "steps", "result", "x"]), ANYTHING))
def test_any_json_is_read_or_refused_in_words(value: Mapping[str, object]) -> None:
    found = outcome(json.dumps(value))

    assert isinstance(found, Program) or found.problems


def outcome(source: str) -> Program | BadDefinition:
    try:
        return compiled(source, offered())
    except BadDefinition as refused:
        return refused
