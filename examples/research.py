"""Three agents in a row: a researcher, an analyst and a synthesizer, each a run of its own, one report to agree on."""

from signoff import Run, workflow


@workflow
async def report(run: Run, question: str) -> str:
    """Hand the question from one agent to the next, and publish what people agree to."""
    sources = await run.child(researcher, question)
    await run.checkpoint("researched", state={"sources": sources}, asked=question)
    findings = await run.child(analyst, sources)
    await run.checkpoint("analysed", state={"findings": findings}, asked=question)
    text = await run.child(synthesizer, question, findings)
    call = run.call(publish, text, undo=withdraw)
    decision = await run.approval(
        f"Publish the report on {question}?",
        call=call,
        details={"question": question, "report": text},
        approvers="group:release",
        ladder=["reject after 1d"],
    )
    return await run.step(call, approved=decision)


@workflow
async def researcher(run: Run, question: str) -> list[str]:
    """Look in several places at once."""
    places = ("archive", "library")
    found = await run.gather(
        **{
            place: lambda branch, place=place: branch.step(look_up, place, question)
            for place in places
        }
    )
    return [found[place] for place in places]


@workflow
async def analyst(run: Run, sources: list[str]) -> dict[str, int]:
    """Weigh what was found."""
    return {source: await run.step(weigh, source) for source in sources}


@workflow
async def synthesizer(run: Run, question: str, findings: dict[str, int]) -> str:
    """Write it up."""
    return await run.step(write_up, question, findings)


def look_up(place: str, question: str) -> str:
    """Here an agent would search; this one only says where."""
    return f"{question}, as the {place} has it"


def weigh(source: str) -> int:
    """Here an agent would judge; this one counts words."""
    return len(source.split())


def write_up(question: str, findings: dict[str, int]) -> str:
    """The report, the weightiest finding first."""
    ranked = sorted(findings, key=lambda source: (-findings[source], source))
    return f"On {question}: {'; '.join(ranked)}."


def publish(text: str) -> str:
    """Here it would go out."""
    return f"published: {text}"


def withdraw(_published: str | None, text: str) -> str:
    """Undo `publish`."""
    return f"withdrawn: {text}"
