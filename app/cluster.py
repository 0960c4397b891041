"""The same app with its models on a Ray cluster: `python -m app.cluster`.

This process serves the page and the API; replicas of the models compute, see `app.serving.ray_cluster`.
"""

import argparse
import sys

import ray

from app import main as app
from app.serving import engines
from app.serving.ray_cluster import end, start, stop
from models.errors import FaceWhyError


def main() -> None:
    """Run until stopped."""
    parser = argparse.ArgumentParser(prog="python -m app.cluster", description=__doc__)
    parser.add_argument("--address", default="", help="of a Ray cluster; without it, one is started on this machine")
    parser.add_argument("--replicas", type=int, default=2, help="the fewest (default: 2)")
    parser.add_argument("--most", type=int, default=0, help="the most (default: no more than the fewest)")
    parser.add_argument("--processors", type=float, default=1.0, help="of each replica (default: 1)")
    parser.add_argument("--asked", type=float, default=16, help="requests a replica is meant to have (default: 16)")
    parser.add_argument("--end", action="store_true", help="end the replicas on the cluster at --address, and no more")
    given = parser.parse_args()
    if given.end and not given.address:
        parser.error("--end takes an --address: what runs on this machine ends with its process")
    app.configure_logging()
    try:
        if given.end:
            return end(given.address)
        engines.use(start(given.address, given.replicas, given.most, given.processors, given.asked))
        app.launch().run()
    except FaceWhyError as error:
        sys.exit(str(error))
    finally:
        if ray.is_initialized():
            stop(given.address)


if __name__ == "__main__":
    main()
