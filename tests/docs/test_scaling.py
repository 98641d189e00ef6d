"""The model behind `docs/scaling.md` agrees with what was measured, and the page with the model."""

import importlib.util
import json
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from tests.architecture.sources import ROOT

BENCHMARKS = ROOT / "benchmarks"
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
MEASURED: dict[str, Any] = json.loads(
    (BENCHMARKS / "results" / "constants.json").read_text(encoding="utf-8")
)
FACTOR = 1.5  # how far the model may be from what two workers were measured to do


def loaded() -> ModuleType:
    """The script as a module; it is no part of any package."""
    spec = importlib.util.spec_from_file_location("scale_model", BENCHMARKS / "scale_model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODEL: Any = loaded()
CONSTANTS = MODEL.read()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["statements", "transactions", "connections"])
def test_idle_workers_do_what_they_were_measured_to_do(workers: int, name: str) -> None:
    load = MODEL.load(CONSTANTS, workers=workers, runs_s=0.0)
    predicted = load.connections if name == "connections" else getattr(load, f"{name}_s")

    assert MEASURED["idle"][str(workers)][name] / FACTOR < predicted
    assert predicted < MEASURED["idle"][str(workers)][name] * FACTOR


def test_more_workers_and_more_runs_never_ask_for_less() -> None:
    grid = [
        [MODEL.load(CONSTANTS, workers=workers, runs_s=runs_s) for runs_s in (1.0, 10.0, 100.0)]
        for workers in MODEL.WORKERS
    ]

    for row in grid:
        assert all(_bears_more(more, less) for less, more in pairwise(row))
    for fewer, more in pairwise(grid):
        assert all(_bears_more(*pair) for pair in zip(more, fewer, strict=True))


def test_nothing_is_broken_below_what_breaks_first_and_something_above() -> None:
    for workers in MODEL.WORKERS:
        what, runs_s = MODEL.first(CONSTANTS, workers=workers)

        below = MODEL.shares(CONSTANTS, workers=workers, runs_s=runs_s * 0.99)
        above = MODEL.shares(CONSTANTS, workers=workers, runs_s=runs_s * 1.01)
        assert below[what] < 1 < above[what]
        assert all(share < 1 for name, share in below.items() if name != "connections")


def test_decisions_wait_longer_the_nearer_the_limit_is() -> None:
    what, most = MODEL.first(CONSTANTS, workers=10)
    calm, near, over = (
        MODEL.delays(CONSTANTS, workers=10, runs_s=most * share)["p99_ms"]
        for share in (0.3, 0.9, 1.2)
    )

    assert what == "writes_s"
    assert calm < near < over


def test_the_kept_figures_are_what_the_model_says() -> None:
    kept = json.loads((BENCHMARKS / "results" / "scale.json").read_text(encoding="utf-8"))

    assert kept == json.loads(json.dumps(MODEL.table(CONSTANTS)))


def test_the_page_tells_the_kept_figures() -> None:
    kept = json.loads((BENCHMARKS / "results" / "scale.json").read_text(encoding="utf-8"))
    wanted = [
        *(
            f"| {row['workers']} | {row['idle_statements_s']:,} | {row['connections']:,} | "
            f"{row['most_runs_s']:,.0f} |"
            for row in kept["workers"]
        ),
        *(
            f"| {row['waiting']:,} | {row['disk_gb']:.1f} GB | {row['runs_s']:,.1f} | {row['writes_s']:,.0f} |"
            for row in kept["waiting"]
        ),
    ]

    assert [line for line in wanted if line not in PAGE] == []
    assert MEASURED["date"] in PAGE


def _bears_more(more: Any, less: Any) -> bool:
    return all(getattr(more, name) >= getattr(less, name) for name in less.__dataclass_fields__)
