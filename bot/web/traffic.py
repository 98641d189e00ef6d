"""Counts what the doors answered, and says which version answers, for `/metrics`."""

import platform
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, Info

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Traffic:
    """How many requests each route answered, with which status, and how long that took."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        about = Info("signoff", "What answers here", registry=self.registry)
        about.info({"version": version, "python": platform.python_version()})
        labels = ["method", "route", "status"]
        self._answered = Counter(
            "signoff_http_requests", "HTTP requests answered", labels, registry=self.registry
        )
        self._seconds = Histogram(
            "signoff_http_request_duration_seconds",
            "How long an answer took to begin",
            ["route"],
            registry=self.registry,
        )

    def note(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer. `route` is the pattern, never the path."""
        known = method if method in METHODS else "other"
        self._answered.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
