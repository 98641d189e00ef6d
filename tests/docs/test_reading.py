"""What Signoff is can be read in ten minutes, and it is not more than it says."""

import re
import tomllib
from typing import Final

from tests.architecture.sources import ROOT, imports, modules, name, read

WORDS_A_MINUTE: Final = 230  # what adults read silently of plain English
MINUTES: Final = 10
# Libraries that make agents, call models, or start work by a timetable: somebody else's business.
NOT_OURS: Final = {
    "agents", "airflow", "anthropic", "apscheduler", "autogen", "celery", "cohere", "crewai", "croniter",
    "dramatiq", "google.genai", "haystack", "huey", "langchain", "langgraph", "litellm", "llama_index",
    "mistralai", "openai", "prefect", "pydantic_ai", "rq", "sched", "schedule", "smolagents", "transformers",
}  # fmt: skip


def test_what_it_is_and_why_is_read_in_ten_minutes() -> None:
    words = sum(len(read(ROOT / page).split()) for page in ("README.md", "docs/why.md"))

    assert words <= MINUTES * WORDS_A_MINUTE


def test_the_first_page_says_what_it_is_not() -> None:
    limits = read(ROOT / "README.md").partition("## Limits, said plainly")[2]

    assert "no agent framework, no wrapper around a model and no scheduler" in limits


def test_it_calls_no_model_makes_no_agent_and_keeps_no_timetable() -> None:
    used = {
        f"{name(path)} imports {each}"
        for path in modules("engine", "channels", "sdk")
        for each in imports(path)
        if {each, each.partition(".")[0]} & NOT_OURS
    }

    assert used == set()


def test_authors_install_no_model_and_no_agent_framework_with_it() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]

    names = {re.split(r"[^\w.-]", each)[0] for each in project["dependencies"]}
    assert names == {"httpx", "pydantic"}
