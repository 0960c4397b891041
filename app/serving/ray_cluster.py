"""An engine that computes nothing itself: replicas of the models do, on this machine or on those of a cluster,
as many as the load asks for.
"""

import asyncio
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, final

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray import exceptions, serve
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, ReplicaUnavailableError
from ray.serve.handle import DeploymentHandle

from app.serving.batching import BatchCount
from app.serving.engine import Answer, Engine, P
from app.serving.local import LocalEngine
from app.serving.reports import ModelReport
from models import zoo
from models.errors import BusyError, FaceWhyError, ParameterError
from models.types import Face, Photo, Prediction

ROOT = Path(__file__).parents[2]
NAME = "facewhy"
ONGOING = 64
"""Requests that a replica takes at once; they share its batches."""
WAITING = 256
"""Requests that wait for a replica before more are refused."""
TRIES = 8
"""How often a request is sent again because its replica died."""
ANSWER_TIMEOUT_S = 120.0
"""Seconds that a request may take in all."""
STATUS_TIMEOUT_S = 5.0
"""Seconds that a question about the models' state may take."""
TRAVELS = ("app", "explain", "models", "examples", "docs")
"""What the machines of a cluster are sent of this repository."""


class Reply(NamedTuple):
    """What a replica answers.

    Attributes:
        value: what was asked for.
        replica: a name of the replica.
        batches: how much it has computed in batches since it started.
    """

    value: Any
    replica: str
    batches: dict[str, BatchCount]


class Replica:
    """The models in a process of their own.

    It holds a `LocalEngine`, so requests that arrive together are computed together as they are without a
    cluster. `serve.batch` would do that as well, but one request's error fails its whole batch there.
    """

    def __init__(self) -> None:
        self._engine, self._name = LocalEngine(), uuid.uuid4().hex
        self._threads = ThreadPoolExecutor(ONGOING, thread_name_prefix="replica")
        zoo.keypoint_model()
        self._engine.available()
        threading.Thread(target=self._engine.warm, name="warm", daemon=True).start()

    async def ask(self, method: str, *args: Any) -> Reply:
        """Call a method of the engine; raises what that raises."""
        loop = asyncio.get_running_loop()
        value = await loop.run_in_executor(self._threads, getattr(self._engine, method), *args)
        return Reply(value, self._name, self._engine.batches())

    async def process(self) -> int:
        """The number of this replica's process."""
        return os.getpid()

    def check_health(self) -> None:
        """Raise a `WeightsError` where no model can be used: Ray Serve asks now and then, and replaces the replica."""
        self._engine.available()


@final
class RayEngine(Engine):
    """Replicas on a Ray cluster. A request whose replica dies is sent to another one.

    Args:
        handle: of the deployment of `Replica`.
    """

    def __init__(self, handle: DeploymentHandle[Any]):
        self._handle = handle
        self._counts: dict[str, dict[str, BatchCount]] = {}

    def detect(self, photo: Photo) -> list[Face]:
        return self._request("detect", photo)

    def keypoints(self, faces: list[Face], photo: Photo) -> list[Face]:
        return self._request("keypoints", faces, photo) if faces else []

    def predict(self, name: str, faces: list[Face], version: str = "") -> list[Prediction]:
        return self._request("predict", name, faces, version) if faces else []

    def explain(self, job: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """See `Engine.explain`; the job travels by its name."""
        return self._request("explain", partial(job, *args, **kwargs))

    def card(self, name: str) -> ModelReport:
        """See `Engine.card`, of any one replica."""
        return self._request("card", name)

    def health(self) -> dict[str, zoo.Status]:
        """See `Engine.health`, of any one replica; "waiting" where none says so in time."""
        try:
            return self._request("health", timeout_s=STATUS_TIMEOUT_S)
        except BusyError:
            return dict.fromkeys(zoo.loaded(), zoo.Status())

    def available(self) -> list[str]:
        return self._request("available")

    def warm(self) -> None:
        """See `Engine.warm`, on any one replica; each does so by itself when it starts."""
        self._request("warm")

    def batches(self) -> dict[str, BatchCount]:
        """See `Engine.batches`, of all replicas that have answered, as each counted when it last did."""
        total: dict[str, BatchCount] = {}
        for counts in list(self._counts.values()):
            for name, count in counts.items():
                total[name] = BatchCount(*map(sum, zip(total.get(name, (0, 0)), count, strict=True)))
        return total

    def _request(self, method: str, *args: Any, timeout_s: float = ANSWER_TIMEOUT_S) -> Any:
        until = time.monotonic() + timeout_s
        for attempt in range(TRIES):
            try:
                sent = self._handle.ask.remote(method, *args)
                value, replica, counts = sent.result(timeout_s=max(0.1, until - time.monotonic()))
                self._note(replica, counts)
                return value
            except exceptions.RayTaskError as error:
                raise error.cause if isinstance(error.cause, FaceWhyError) else RuntimeError(method) from None
            except BackPressureError:
                raise BusyError("No replica is free", "one request more", "Try again in 2 s", 2) from None
            except (exceptions.RayActorError, ReplicaUnavailableError):
                time.sleep(min(0.1 * 2**attempt, 2.0))
            except (TimeoutError, DeploymentUnavailableError):
                break
        raise BusyError("The models did not answer", "nothing from the cluster", "Try again in 10 s", 10)

    def _note(self, replica: str, counts: dict[str, BatchCount]) -> None:
        """Keep what a replica has counted; of two answers that overtake each other, the later one."""
        known = self._counts.setdefault(replica, {})
        for name, count in counts.items():
            known[name] = max(count, known.get(name, count))


def start(
    address: str = "",
    replicas: int = 2,
    most: int = 0,
    processors: float = 1.0,
    asked: float = 16,
    delays_s: tuple[float, float] = (10.0, 120.0),
) -> RayEngine:
    """Replicas on a cluster, and the engine that asks them.

    Args:
        address: of a Ray cluster, such as "auto" or "ray://head:10001"; "" starts one on this machine.
        replicas: the fewest.
        most: the most; 0 for as many as `replicas`.
        processors: that each replica is given.
        asked: requests that each is meant to have; with more on average one more starts, with fewer one ends.
        delays_s: seconds of much, and of little, to do before a replica more is started or one is ended.

    Raises:
        ParameterError: there is no cluster at the address, or the numbers cannot be.
    """
    if replicas < 1 or processors <= 0 or asked <= 0 or most and most < replicas:
        raise ParameterError(
            "The numbers of replicas and processors do not fit together",
            f"{replicas} to {most}, {processors} each",
            "Give a replica or more with some processor each, the fewest before the most",
        )
    if address:
        left_out = [path.name for path in ROOT.iterdir() if path.name not in TRAVELS]
        _connect(address=address, runtime_env={"working_dir": str(ROOT), "excludes": left_out})
    else:
        room = max(os.cpu_count() or 1, round(processors * max(replicas, most)) + 1)
        paths = {"env_vars": {"PYTHONPATH": str(ROOT)}}
        _connect(num_cpus=room, runtime_env=paths, _node_ip_address="127.0.0.1", include_dashboard=False)
    serve.start(proxy_location="Disabled", logging_config={"enable_access_log": False, "log_level": "WARNING"})
    deployment = serve.deployment(
        name="models",
        ray_actor_options={"num_cpus": processors},
        max_ongoing_requests=ONGOING,
        max_queued_requests=WAITING,
        autoscaling_config={
            "min_replicas": replicas,
            "initial_replicas": replicas,
            "max_replicas": most or replicas,
            "target_ongoing_requests": asked,
            "upscale_delay_s": delays_s[0],
            "downscale_delay_s": delays_s[1],
        },
        health_check_period_s=5,
        graceful_shutdown_timeout_s=10,
    )(Replica)
    return RayEngine(serve.run(deployment.bind(), name=NAME, route_prefix=None))


def _connect(**options: Any) -> None:
    try:
        ray.init(namespace=NAME, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, OSError) as error:
        found = f"none at {options.get('address', '')!r}"
        raise ParameterError("No Ray cluster was found at --address", found, "Start one") from error


def stop(address: str = "") -> None:
    """Let go of a cluster: what `start` began here ends; elsewhere the replicas stay, because others may ask them."""
    if not address:
        serve.shutdown()
    ray.shutdown()


def end(address: str) -> None:
    """End the replicas on a cluster, and nothing else that runs there.

    Raises:
        ParameterError: there is no cluster at the address.
    """
    _connect(address=address)
    try:
        serve.delete(NAME)
    finally:
        ray.shutdown()
