"""The Hugging Face Hub as a source of weights: one pinned commit, never waited for.

Settings: `hub.repository` and `hub.revision` in `Spacefile`, which FACEWHY_HUB_REPO and
FACEWHY_HUB_REVISION replace. The repository holds `<name>/model.safetensors` and `<name>/card.json`.
HF_ENDPOINT, HF_HOME, HF_TOKEN and HF_HUB_OFFLINE mean what they mean to `huggingface_hub`.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

import yaml

from models.errors import HubError, WeightsError

log = logging.getLogger(__name__)

SPACEFILE = Path(__file__).parents[1] / "Spacefile"
TIMEOUT_S = 3.0
"""Seconds that all callers together wait for a Hub that does not deliver."""
ANSWER = 2.0
"""Seconds that the Hub has to answer the first question about a file."""


@dataclass(frozen=True)
class Pin:
    """One commit of one repository."""

    repository: str
    revision: str

    def __str__(self) -> str:
        return f"{self.repository} at {self.revision[:12]}"


def pinned() -> Pin | None:
    """The commit that the settings name; None where they name no repository.

    Raises:
        WeightsError: the settings name a repository without a full commit hash. A branch or tag may
            move, and a commit that is in the cache is read without a request.
    """
    try:
        settings = yaml.safe_load(SPACEFILE.read_text(encoding="utf-8")) or {}
        written = settings.get("hub") or {}
        repository, revision = str(written.get("repository") or ""), str(written.get("revision") or "")
    except FileNotFoundError:
        repository = revision = ""
    except (OSError, AttributeError, yaml.YAMLError) as error:
        raise WeightsError(
            "Spacefile could not be read", f"{error}", "Correct it: YAML with hub.repository and hub.revision"
        ) from error
    chosen = os.environ.get("FACEWHY_HUB_REPO", repository).strip()
    revision = os.environ.get("FACEWHY_HUB_REVISION", revision if chosen == repository else "").strip()
    repository = chosen
    if not repository:
        return None
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise WeightsError(
            "The revision of the Hub repository is not a full commit hash",
            f"{repository} at {revision!r}",
            "Set FACEWHY_HUB_REVISION, or hub.revision in Spacefile, to 40 hexadecimal digits",
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise WeightsError(
            "The name of the Hub repository does not consist of an owner and a name",
            repr(repository),
            "Write FACEWHY_HUB_REPO, or hub.repository in Spacefile, like someone/facewhy",
        )
    return Pin(repository, revision)


def cached(pin: Pin, name: str, files: tuple[str, ...]) -> Path | None:
    """The folder of a model in the Hub's cache, without any request; None unless all files are there."""
    client = _client()
    found = [client.try_to_load_from_cache(pin.repository, f"{name}/{file}", revision=pin.revision) for file in files]
    return Path(found[0]).parent if all(isinstance(path, str) for path in found) else None


class Download:
    """One model on its way from the Hub into its cache, in a thread of its own.

    Attributes:
        error: why it failed; empty while it runs and when it is done.
    """

    def __init__(self, pin: Pin, name: str, files: tuple[str, ...]):
        self.pin, self.name, self.files = pin, name, files
        self.error = ""
        self.thread = threading.Thread(target=self._run, name=f"hub-{name}", daemon=True)
        self.thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, well or badly, within some seconds."""
        self.thread.join(max(0.0, seconds))
        return not self.thread.is_alive()

    def _run(self) -> None:
        started = time.perf_counter()
        try:
            for file in self.files:
                # `force_download` because the cache was looked at before: what it holds is missing or
                # damaged. It also spares the client's 25 s of retries when the Hub does not answer.
                _client().hf_hub_download(
                    self.pin.repository,
                    f"{self.name}/{file}",
                    revision=self.pin.revision,
                    etag_timeout=ANSWER,
                    force_download=True,
                    endpoint=os.environ.get("HF_ENDPOINT") or None,
                    tqdm_class=_silent(),
                )
        except Exception as error:  # whatever ends a download must not end the app
            reason = error.__cause__ or error  # the client wraps what happened into "Force download failed"
            first_line = next(iter(str(reason).strip().splitlines()), "")
            self.error = f"{type(reason).__name__}: {first_line}".rstrip(".: ")
            log.warning("%s from the Hub, %s: %s", self.name, self.pin, self.error)
        else:
            log.info("%s from the Hub, %s: %.1f s", self.name, self.pin, time.perf_counter() - started)


_downloads: dict[tuple[Pin, str], Download] = {}
_asked: dict[Pin, float] = {}
_lock = threading.Lock()


def download(pin: Pin, name: str, files: tuple[str, ...]) -> Download:
    """Start to download a model, or join the download that is under way, and wait a little.

    The calls for one commit share `TIMEOUT_S` seconds, counted from the first; a download that comes
    through starts the count again. One that takes longer goes on, and the next start finds it in the
    cache.
    """
    with _lock:
        asked = _asked.setdefault(pin, time.perf_counter())
        known = _downloads.get((pin, name))
        if known is None or known.wait(0):
            known = _downloads[pin, name] = Download(pin, name, files)
    if known.wait(asked + TIMEOUT_S - time.perf_counter()) and not known.error:
        with _lock:
            _asked.pop(pin, None)
    return known


@cache
def _client() -> ModuleType:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub

    return huggingface_hub


@cache
def _silent() -> type:
    from tqdm import tqdm

    class Silent(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **options | {"disable": True})

    return Silent


class Reason(NamedTuple):
    """What a status of HTTP means, as in `FaceWhyError`."""

    happened: str
    advice: str


def refused(place: str, kind: str, error: Exception, more: Mapping[int, Reason] = MappingProxyType({})) -> HubError:
    """What the Hub's client raised while something was written, as one sentence; a wrapped error counts as its cause.

    Args:
        place: what was written to.
        kind: what that is, such as "repository".
        error: of `huggingface_hub`.
        more: HTTP status -> what happened and what to do, beside what every place may answer.
    """
    cause: BaseException = error
    while getattr(cause, "response", None) is None and cause.__cause__ is not None:
        cause = cause.__cause__
    status = getattr(getattr(cause, "response", None), "status_code", None)
    reasons = {
        401: Reason("The Hub does not know the token", "Make a new one in the Hub's settings, then: hf auth login"),
        403: Reason(
            f"The Hub refused the token the right to write to {place}",
            f"Give it the right to write, or name another {kind}",
        ),
        404: Reason(f"The Hub did not find {place}", "Check the name, and that the token may see it"),
        409: Reason(f"Somebody else changed {place} at the same time", "Try again"),
        412: Reason(f"Somebody else changed {place} at the same time", "Try again"),
        413: Reason("The Hub refused files of this size", "Leave large files out"),
        429: Reason("The Hub refused the request: too many came in a short time", "Wait some minutes and try again"),
        **more,
    }
    if status in reasons:
        reason = reasons[status]
        return HubError(reason.happened, f"HTTP status {status}", reason.advice)
    if status is not None and status >= 500:
        return HubError("The Hub failed", f"HTTP status {status}", "Try again later; nothing was committed")
    first_line = next(iter(str(error).strip().splitlines()), "").rstrip(".: ")
    received = f"HTTP status {status}" if status else f"{type(error).__name__}: {first_line}"
    return HubError(f"The Hub did not take {place}", received, "Check the name and the network; nothing was committed")
