"""`python -m app`: the page, and what can be asked from a shell."""

import typer

from app.commands.explain import explain
from app.commands.predict import predict
from models.errors import FaceWhyError, in_shell

app = typer.Typer(add_completion=False)
app.command()(predict)
app.command()(explain)


@app.callback(invoke_without_command=True)
def page(context: typer.Context) -> None:
    """Why does a network read a face the way it does?

    Without a command, this serves the page on http://localhost:7860, or on the next port that is free.
    """
    if context.invoked_subcommand is None:
        from app.main import main

        main()


def main() -> None:
    """Run a command, or the page without one; what is wrong is one sentence and exit code 1."""
    try:
        app(prog_name="python -m app")
    except (FaceWhyError, OSError) as error:
        typer.echo(in_shell(error), err=True)
        raise SystemExit(1) from None
