"""Which entry may follow in which state of a run, written down apart from the engine's own table."""

LIVE = [
    "created",
    "running",
    "waiting:approval",
    "waiting:timer",
    "waiting:branches",
    "waiting:changed",
    "waiting:quarantined",
    "rolling_back",
    "rolling_back:stuck",
    "rolling_back:approval",
    "paused",
    "paused:approval",
    "paused:timer",
    "paused:branches",
]
BEFORE_UNDOING = [
    *(state for state in LIVE if not state.startswith("rolling_back")),
    "failed",
    "cancelled",
    "killed",
]
TIMED = {"waiting:timer": "running"}
MOVES: dict[str, dict[str, str]] = {
    "run.started": {"created": "running"},
    "approval.opened": {
        "running": "waiting:approval",
        "created": "waiting:approval",
        "rolling_back": "rolling_back:approval",
    },
    "approval.decided": {
        "waiting:approval": "running",
        "paused:approval": "paused",
        "paused": "paused",
        "rolling_back": "rolling_back",
        "rolling_back:approval": "rolling_back",
    },
    "branches.waiting": {"running": "waiting:branches"},
    "branches.woken": {"waiting:branches": "running"},
    "sleep.started": {"running": "waiting:timer"},
    "sleep.ended": TIMED,
    "step.retry_scheduled": {"running": "waiting:timer"},
    "step.retried": TIMED,
    "run.changed": {"running": "waiting:changed", "rolling_back": "waiting:changed"},
    "run.quarantined": dict.fromkeys(("running", "rolling_back"), "waiting:quarantined"),
    "rollback.started": dict.fromkeys(BEFORE_UNDOING, "rolling_back"),
    "rollback.resumed": {"rolling_back": "running"},
    "compensation.stuck": {"rolling_back": "rolling_back:stuck"},
    "compensation.retried": {"rolling_back:stuck": "rolling_back"},
    "compensation.skipped": dict.fromkeys(("rolling_back", "rolling_back:stuck"), "rolling_back"),
    "compensation.taken_over": {"rolling_back:stuck": "rolling_back"},
    "run.paused": {
        "created": "paused",
        "running": "paused",
        "rolling_back": "paused",
        "rolling_back:approval": "paused",
        "waiting:approval": "paused:approval",
        "waiting:timer": "paused:timer",
        "waiting:branches": "paused:branches",
    },
    "run.resumed": {
        "paused": "running",
        "paused:approval": "waiting:approval",
        "paused:timer": "waiting:timer",
        "paused:branches": "waiting:branches",
    },
    "run.completed": {"running": "completed"},
    "run.failed": {"running": "failed", "rolling_back": "failed"},
    "run.rolled_back": {"rolling_back": "rolled_back"},
    "run.cancelled": dict.fromkeys(LIVE, "cancelled"),
}
# What a branch waits for begins while its run is driven, and ends wherever the run then is.
BEGINS = {"approval.opened", "sleep.started", "step.retry_scheduled"}
ENDS = {"approval.decided", "sleep.ended", "step.retried"}
LET_GO_ON = {
    ("run.retried", "waiting:changed"),
    ("run.released", "waiting:quarantined"),
    ("run.resumed", "paused"),
}
QUIET = {
    "branches.begun",
    "branches.ended",
    "patch.recorded",
    "run.adopted",
    "step.begun",
    "step.finished",
    "step.failed",
    "value.recorded",
    "checkpoint.created",
    "vote.recorded",
    "approval.edited",
    "approval.extended",
    "approval.consumed",
    "rung.fired",
    "compensation.begun",
    "compensation.finished",
    "compensation.failed",
}
