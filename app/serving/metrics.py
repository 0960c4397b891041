"""What /metrics tells of this process: counts and times in Prometheus' text format, and nothing of any visitor."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from app.serving import canary, engines
from app.serving.admission import WorkQueue
from models.types import Prediction

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STAGES = ("wait", "decode", "detect", "keypoints", "predict", "explain", "trust")
"""What a request's time goes into; "wait" is of REST and MCP for their turn."""
OTHER = "other"

disable_created_metrics()
_kept = CollectorRegistry()
_requests = Counter(
    "facewhy_requests", "Requests by route, method and status.", ["route", "method", "status"], registry=_kept
)
_seconds = Histogram(
    "facewhy_stage_seconds",
    "Seconds that a stage took.",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_kept,
)
_faces = Counter("facewhy_faces", "Faces that several models have read.", registry=_kept)
_agreed = Counter("facewhy_faces_agreed", "Faces in which they all see the same emotion.", registry=_kept)
for _stage in STAGES:
    _seconds.labels(_stage)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time what is inside as one of `STAGES`."""
    started = perf_counter()
    try:
        yield
    finally:
        took(name, perf_counter() - started)


def took(name: str, seconds: float) -> None:
    """Note what one of `STAGES` took."""
    _seconds.labels(name).observe(seconds)


def agreement(predictions: dict[str, tuple[Prediction, ...]]) -> None:
    """Count faces, and those in which all models see the same.

    Args:
        predictions: by model, one a face; those of a single model do not count.
    """
    if len(predictions) > 1:
        for answers in zip(*predictions.values(), strict=True):
            _faces.inc()
            _agreed.inc(len({answer.top for answer in answers}) == 1)


def answered(route: str, method: str, status: int) -> None:
    """Count a request.

    Args:
        route: the pattern of the route that it took, so that what clients write makes no new one.
        method: of HTTP; any but `METHODS` counts as `OTHER`.
        status: of its answer.
    """
    _requests.labels(route or OTHER, method if method in METHODS else OTHER, status).inc()


class Now:
    """What is read when it is asked for: queues, batches, models, canaries.

    Args:
        queues: by name.
    """

    def __init__(self, queues: dict[str, WorkQueue]):
        self.queues = queues

    def collect(self) -> Iterator[Metric]:
        """The families of this moment."""
        running = GaugeMetricFamily("facewhy_queue_running", "Calls that run.", labels=["queue"])
        waiting = GaugeMetricFamily("facewhy_queue_waiting", "Calls that wait.", labels=["queue"])
        for name, queue in self.queues.items():
            running.add_metric([name], queue.running)
            waiting.add_metric([name], queue.waiting)
        batches = CounterMetricFamily("facewhy_batches", "Batches that were computed.", labels=["of"])
        items = CounterMetricFamily("facewhy_batch_items", "Pictures or faces in them.", labels=["of"])
        for name, count in engines.current().batches().items():
            batches.add_metric([name], count.batches)
            items.add_metric([name], count.items)
        ready = GaugeMetricFamily("facewhy_model_ready", "1 where a model can be used.", labels=["model", "version"])
        for name, status in engines.current().health().items():
            ready.add_metric([name, status.version], status.state == "ready")
        yield from (running, waiting, batches, items, ready, *canaries())


def canaries() -> Iterator[Metric]:
    """How each canary does, see `app.serving.canary`."""
    labels = ["model", "version"]
    share = GaugeMetricFamily("facewhy_challenger_share", "Of the faces, what a challenger answers.", labels=labels)
    faces = CounterMetricFamily("facewhy_challenger_faces", "Faces that a challenger answered.", labels=labels)
    agreed = CounterMetricFamily(
        "facewhy_challenger_agreed", "Faces of them for which the active version names the same emotion.", labels=labels
    )
    for name, counter in canary.agreement_counters().items():
        share.add_metric([name, counter.version], counter.share)
        faces.add_metric([name, counter.version], counter.faces)
        agreed.add_metric([name, counter.version], counter.agreed)
    yield from (share, faces, agreed)


def text(queues: dict[str, WorkQueue]) -> bytes:
    """Everything, as Prometheus reads it; for `queues` see `Now`."""
    now = CollectorRegistry()
    now.register(Now(queues))
    return generate_latest(_kept) + generate_latest(now)
