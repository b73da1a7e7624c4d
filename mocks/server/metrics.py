"""Prometheus metrics of one service, in a registry of its own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Upper bounds in seconds."""

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Requests by operation, HTTP status (0: no answer went out) and code; their duration in
    seconds; requests in flight; connections, open and closed by the server; and the process's own
    figures."""

    def __init__(
        self, service: str, in_flight: Callable[[], float], connections: Callable[[], float]
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests",
            "Requests answered",
            ("service", "op", "status", "code"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "http_request_duration_seconds",
            "Seconds from the request to its answer",
            ("service", "op"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._closed = Counter(
            "http_connections_closed",
            "Connections that kept the server waiting too long, or that there was no room for",
            ("service", "reason"),
            registry=self._registry,
        )
        for name, meaning, figure in (
            ("http_requests_in_flight", "Requests being served", in_flight),
            ("http_connections", "Open connections", connections),
        ):
            gauge = Gauge(name, meaning, ("service",), registry=self._registry)
            gauge.labels(service).set_function(figure)
        ProcessCollector(registry=self._registry)
        self._service = service
        self._counters: dict[tuple[str, int, str], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def observe(self, op: str, status: int, code: str, seconds: float) -> None:
        """Count one request."""
        key = (op, status, code)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._requests.labels(self._service, op, str(status), code)
            self._counters[key] = counter
        counter.inc()
        histogram = self._histograms.get(op)
        if histogram is None:
            histogram = self._histograms[op] = self._durations.labels(self._service, op)
        histogram.observe(seconds)

    def connection_closed(self, reason: str) -> None:
        """Count a connection that the server closed of itself."""
        self._closed.labels(self._service, reason).inc()

    def include(self, collector: Collector) -> None:
        """Expose another collector's metrics beside these."""
        self._registry.register(collector)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)
