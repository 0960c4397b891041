"""Weights, cards, reports and a model card to a repository of the Hugging Face Hub, in one commit."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models import ensemble, hub, weight_store, zoo
from models.card import Card
from models.errors import HubError, WeightsNotFoundError
from training.release.hub_card import readme


@dataclass(frozen=True)
class Published:
    """What a Hub repository holds after a publication.

    Attributes:
        repository: such as "someone/facewhy".
        revision: the commit, 40 hexadecimal digits.
        files: paths in the repository.
        removed: paths that the commit took away.
    """

    repository: str
    revision: str
    files: tuple[str, ...]
    removed: tuple[str, ...] = ()


def contents(repository: str, source: str | Path = weight_store.SHIPPED) -> dict[str, Path | bytes]:
    """What is published: path in the repository -> a file, or the bytes of one.

    Every file of the folders of `zoo.ARCHITECTURES` in `source`, what the networks reach together where
    it was measured on these weights, and a README made from the cards.

    Raises:
        WeightsNotFoundError: there are no weights.
        WeightsMismatchError: a set of weights is not what its card says.
    """
    folders = [Path(source) / name for name in zoo.ARCHITECTURES if (Path(source) / name).is_dir()]
    if not folders:
        raise WeightsNotFoundError("No weights were found to publish", str(source), "Export and promote a version")
    found = [weight_store.verify(folder) for folder in folders]
    files: dict[str, Path | bytes] = {"README.md": readme(repository, found).encode()}
    together = Path(source) / ensemble.FILE
    if _measured_on(together, found):
        files[ensemble.FILE] = together
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if path.is_file() and not any(part.startswith(".") for part in parts) and path.suffix != ".partial":
                files["/".join((folder.name, *parts))] = path
    return files


def _measured_on(together: Path, found: Sequence[Card]) -> bool:
    """Whether the figures of the networks together are there, and are those of these weights."""
    try:
        of = json.loads(together.read_text(encoding="utf-8"))["weights"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return of == {card.name: card.sha256 for card in found if card.name in zoo.EMOTION_MODELS}


def publish(
    repository: str,
    source: str | Path = weight_store.SHIPPED,
    private: bool = False,
    message: str = "Publish weights, cards and reports",
) -> Published:
    """Put the weights that ship into a Hub repository, in one commit to its branch `main`.

    The repository is made where it is missing. Afterwards the folders of the models hold what the
    local ones hold; other files of the repository stay, but for its README. Nothing is committed
    when nothing differs. The token is the one of `hf auth login` or HF_TOKEN; HF_ENDPOINT names
    another Hub.

    Args:
        repository: such as "someone/facewhy".
        source: holds the folders of the models.
        private: whether a repository that is made is private.
        message: of the commit.

    Raises:
        HubError: there is no token, or the Hub refuses or does not answer.
        WeightsError: see `contents`.
    """
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # plain LFS: every Hub and mirror takes it
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, errors

    files = contents(repository, source)
    if not huggingface_hub.get_token():
        raise HubError("The token for the Hub is missing", "none", "Log in with: hf auth login; or set HF_TOKEN")
    api = huggingface_hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="facewhy")
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        folders = {path.split("/")[0] for path in files if "/" in path}
        there = api.list_repo_files(repository)
        removed = tuple(sorted(p for p in there if p.split("/")[0] in folders and p not in files))
        deletions = [CommitOperationDelete(path) for path in removed]
        additions = [CommitOperationAdd(path, content) for path, content in files.items()]
        done = api.create_commit(repository, [*deletions, *additions], commit_message=message)
    # the library does not export the class of the client that it has inside
    except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:  # type: ignore[attr-defined]
        raise hub.refused(repository, "repository", error) from error
    return Published(repository, done.oid, tuple(files), removed)
