"""`publish`: what ships, to the Hugging Face Hub."""

from pathlib import Path
from typing import Annotated

import typer

from models.weight_store import SHIPPED


def publish(
    repository: Annotated[str, typer.Argument(help="Such as someone/facewhy; made where it is missing.")],
    source: Annotated[Path, typer.Option(help="Holds the folders of the models.")] = SHIPPED,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    message: Annotated[str, typer.Option(help="Of the commit.")] = "Publish weights, cards and reports",
) -> None:
    """Put weights, cards, reports and a model card into a Hub repository, in one commit."""
    from training.release.publish import publish as run

    done = run(repository, source, private, message)
    typer.echo(f"{len(done.files)} files in {done.repository}, {len(done.removed)} removed")
    typer.echo(f"FACEWHY_HUB_REPO={done.repository} FACEWHY_HUB_REVISION={done.revision}")
