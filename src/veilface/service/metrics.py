"""What a service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Counters of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "veilface_requests",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "veilface_request_seconds",
            "Time from a request to its answer.",
            ("route",),
            buckets=(0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300),
            registry=self.registry,
        )
        self.batch = Histogram(
            "veilface_batch_faces",
            "Faces that went through the networks together.",
            buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64),
            registry=self.registry,
        )
        self.admitted = Gauge(
            "veilface_requests_admitted",
            "Requests that are read, wait or are computed.",
            registry=self.registry,
        )
        self.bytes = Gauge(
            "veilface_request_bytes", "Bytes reserved for their bodies.", registry=self.registry
        )

    def text(self) -> bytes:
        """The figures in the text format of Prometheus."""
        return generate_latest(self.registry)
