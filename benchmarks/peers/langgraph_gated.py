"""The gated run on LangGraph: interrupt and resume, state saved before each next step.

On SQLite with the synchronous saver, the quicker of the two that the library has; on PostgreSQL with a pool.
Needs `langgraph`, and `langgraph-checkpoint-sqlite` or `langgraph-checkpoint-postgres psycopg[binary,pool]`.
Run: python langgraph_gated.py gated-runs|latency RUNS CONCURRENCY FOLDER|URL
"""

import sqlite3
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from measuring import cpu_s, report, summary


class State(TypedDict, total=False):
    """What flows from node to node."""

    number: int
    first: int
    decision: str
    second: int


def saver_at(where: str):
    """The library's own store."""
    if where.startswith("postgres"):
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg.rows import dict_row
        from psycopg_pool import ConnectionPool

        with_rows = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
        pool = ConnectionPool(where, min_size=4, max_size=16, kwargs=with_rows, open=True)
        return PostgresSaver(pool)
    from langgraph.checkpoint.sqlite import SqliteSaver

    connection = sqlite3.connect(f"{where}/{uuid.uuid4().hex}.db", check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")
    return SqliteSaver(connection)


def graph(saver):
    """A step, an interrupt that waits for a person, a step."""
    made = StateGraph(State)
    made.add_node("a", lambda state: {"first": state["number"] + 1})
    made.add_node("ask", lambda state: {"decision": interrupt({"approve": state["first"]})})
    made.add_node("b", lambda state: {"second": state["first"] + 1})
    for before, after in ((START, "a"), ("a", "ask"), ("ask", "b"), ("b", END)):
        made.add_edge(before, after)
    return made.compile(checkpointer=saver)


def main(mode: str, runs: int, concurrency: int, where: str) -> None:
    """Measure."""
    saver = saver_at(where)
    saver.setup()
    compiled = graph(saver)
    name = uuid.uuid4().hex

    def start(number: int) -> dict:
        thread = {"configurable": {"thread_id": f"{name}-{number}"}}
        compiled.invoke({"number": number}, thread, durability="sync")
        return thread

    def decide(thread: dict) -> None:
        ended = compiled.invoke(Command(resume="approve"), thread, durability="sync")
        if ended["decision"] != "approve" or "second" not in ended:
            raise SystemExit("A run did not end as it should.")

    def timed(number: int) -> float:
        thread = start(number)
        time.sleep(0.02)
        began = time.perf_counter()
        decide(thread)
        return time.perf_counter() - began

    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(lambda number: decide(start(number)), range(-100, 0)))
        used, began = cpu_s(), time.perf_counter()
        if mode == "gated-runs":
            list(pool.map(lambda number: decide(start(number)), range(runs)))
            took, used = time.perf_counter() - began, cpu_s() - used
            figures = {"runs_s": round(runs / took, 1), "cpu_ms_run": round(used / runs * 1e3, 3)}
        else:
            figures = summary([timed(number) for number in range(runs)])
    kind = "postgresql" if where.startswith("postgres") else "sqlite"
    report("langgraph", mode, kind, figures)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
