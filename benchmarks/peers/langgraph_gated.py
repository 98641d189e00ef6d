"""The gated run on LangGraph: interrupt and resume with its SQLite saver, state saved before each next step.

Needs `langgraph` and `langgraph-checkpoint-sqlite`. Run: python langgraph_gated.py RUNS CONCURRENCY FOLDER
"""

import json
import sqlite3
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict, total=False):
    """What flows from node to node."""

    number: int
    first: int
    decision: str
    second: int


def graph(saver: SqliteSaver):
    """A step, an interrupt that waits for a person, a step."""
    made = StateGraph(State)
    made.add_node("a", lambda state: {"first": state["number"] + 1})
    made.add_node("ask", lambda state: {"decision": interrupt({"approve": state["first"]})})
    made.add_node("b", lambda state: {"second": state["first"] + 1})
    for before, after in ((START, "a"), ("a", "ask"), ("ask", "b"), ("b", END)):
        made.add_edge(before, after)
    return made.compile(checkpointer=saver)


def main(runs: int, concurrency: int, folder: Path) -> None:
    """Measure a closed loop of `concurrency` runs at a time."""
    # The synchronous saver is the quicker of the two that the library has.
    connection = sqlite3.connect(folder / f"{uuid.uuid4().hex}.db", check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")
    saver = SqliteSaver(connection)
    saver.setup()
    compiled = graph(saver)

    def one(number: int) -> bool:
        thread = {"configurable": {"thread_id": f"t{number}"}}
        compiled.invoke({"number": number}, thread, durability="sync")
        ended = compiled.invoke(Command(resume="approve"), thread, durability="sync")
        return ended["decision"] == "approve" and "second" in ended

    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(one, range(-100, 0)))
        used, began = time.process_time(), time.perf_counter()
        done = list(pool.map(one, range(runs)))
        took, used = time.perf_counter() - began, time.process_time() - used
    if not all(done):
        raise SystemExit("A run did not end as it should.")
    print(
        json.dumps(
            {
                "product": "langgraph",
                "runs_s": round(runs / took, 1),
                "cpu_ms_run": round(used / runs * 1e3, 2),
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
