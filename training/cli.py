"""`python -m training`: the pipeline from a shell."""

import typer

from models.errors import FaceWhyError, in_shell
from training.commands.annotate import annotate
from training.commands.calibrate import calibrate
from training.commands.conformal import conformal
from training.commands.data import data
from training.commands.evaluate import evaluate
from training.commands.export import export
from training.commands.faces import faces
from training.commands.features import features
from training.commands.fit import fit
from training.commands.global_view import global_view
from training.commands.models import models
from training.commands.publish import publish
from training.commands.retrain import retrain
from training.commands.sheet import sheet
from training.commands.together import together
from training.commands.train import train
from training.commands.trust import trust
from training.commands.tune import tune

COMMANDS = (
    train,
    together,
    retrain,
    tune,
    export,
    calibrate,
    evaluate,
    conformal,
    publish,
    trust,
    sheet,
    annotate,
    features,
    fit,
    faces,
)

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Data in, weights out.")
for command in COMMANDS:
    app.command()(command)
app.command("global")(global_view)
app.add_typer(data)
app.add_typer(models)


def main() -> None:
    """Run a command; what is wrong with the input or the disk is one sentence and exit code 1."""
    try:
        app()
    except (FaceWhyError, OSError) as error:
        typer.echo(in_shell(error), err=True)
        raise SystemExit(1) from None
