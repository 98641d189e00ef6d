"""People see what the sources of a case say; operators say which outcome holds."""

import pytest

from engine.ids import DEFAULT_TENANT, KeyId
from engine.runtime import reconciling
from engine.services import cases
from engine.services.cases import Wanted
from engine.services.keys import Caller, Scope
from engine.services.signals import Said
from engine.store.database import Transaction
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio

AGENT = Caller(
    tenant=DEFAULT_TENANT,
    key=KeyId("key_1"),
    person=None,
    scopes=frozenset(Scope),
    owner=None,
    name="agent",
    kind="key",
)


async def given_case(site: Site, *outcomes: str) -> str:
    """A case of which a source each reports one of `outcomes`."""
    wanted = Wanted(title="Is <17> lost?", collected=True, outcomes=["yes", "no"])

    def deed(tx: Transaction) -> str:
        case = str(cases.begin(tx, AGENT, wanted)["id"])
        for index, outcome in enumerate(outcomes):
            reconciling.report(tx, AGENT, case, Said(source=f"<s{index}>", outcome=outcome))
        return case

    return await site.application.database.write(deed)


async def test_a_stranger_sees_no_case(site: Site) -> None:
    case = await given_case(site, "yes")

    async with site.browser() as stranger:
        pages = [(await stranger.get(path)).text for path in ("/cases", f"/cases/{case}")]

    assert [page for page in pages if "17" in page] == []


async def test_only_operators_resolve_and_only_what_was_reported(
    site: Site, ana: Browser, dana: Browser
) -> None:
    disputed, empty = await given_case(site, "yes", "no"), await given_case(site)

    shown = await ana.get(f"/cases/{disputed}")
    refused = await ana.post(f"/cases/{disputed}/resolve", {"outcome": "no", "reason": "x"})

    assert "Make it final" not in shown.text
    assert "Make it final" not in (await dana.get(f"/cases/{empty}")).text
    assert refused.status_code == 403
    assert (await dana.get("/cases/cas_none")).status_code == 404


async def test_cases_are_listed_and_shown_with_what_their_sources_say(
    site: Site, ana: Browser
) -> None:
    final = await given_case(site, "yes", "yes")
    await given_case(site, "yes", "no")

    listed = (await ana.get("/cases")).text
    disputed = (await ana.get("/cases?view=in_reconciliation")).text
    shown = (await ana.get(f"/cases/{final}")).text

    assert (listed.count("data-item"), disputed.count("data-item")) == (2, 1)
    assert "Is &lt;17&gt; lost?" in listed
    assert "Decided by consensus" in shown
    assert "&lt;s0&gt;, &lt;s1&gt;" in shown


async def test_an_operator_says_which_outcome_holds(site: Site, dana: Browser) -> None:
    path = f"/cases/{await given_case(site, 'yes', 'no')}"
    page = await dana.get(path)

    for said in ({"outcome": "no", "reason": " "}, {"outcome": "perhaps", "reason": "I looked."}):
        wrong = await dana.follow(await dana.submit(page, f"{path}/resolve", **said))
        assert "Undecided" in wrong.text
    made = await dana.follow(
        await dana.submit(page, f"{path}/resolve", outcome="no", reason="I looked.")
    )

    assert "What people are asked" in page.text
    assert "The outcome is final." in made.text
    assert "Decided by operator: <bdi>Dana Oz</bdi> (" in made.text


async def test_an_operator_closes_a_case_with_a_reason(
    site: Site, ana: Browser, dana: Browser
) -> None:
    path = f"/cases/{await given_case(site)}"
    page = await dana.get(path)

    refused = await ana.post(f"{path}/close", {"reason": "x"})
    silent = await dana.follow(await dana.submit(page, f"{path}/close", reason=" "))
    closed = await dana.follow(await dana.submit(page, f"{path}/close", reason="It was cancelled."))

    assert "Close it without an outcome" not in (await ana.get(path)).text
    assert (refused.status_code, "Say why." in silent.text) == (403, True)
    assert "The case is closed." in closed.text
    assert "It was cancelled." in closed.text
    assert "Close it without an outcome" not in closed.text
