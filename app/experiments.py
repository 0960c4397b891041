"""What the Lab and the API both do with an experiment: have the engine ask every model before and after."""

from collections.abc import Mapping
from typing import Any

from app import source_faces
from app.serving import engines
from explain import registry
from explain.base import Explanation, Parameters
from explain.lab import trial
from explain.lab.counterfactual import Counterfactual
from explain.lab.steps import Experiment
from explain.lab.trial import Outcome
from models.types import Face


def run(
    face: Face,
    experiment: Experiment,
    method: str = "gradcam",
    emotion: str = "",
    params: Parameters | Mapping[str, Any] | None = None,
    maps: Mapping[tuple[str, int], Explanation] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Outcome:
    """Do an experiment on a face and ask every model; for the arguments see `explain.lab.trial.run`.

    Raises:
        UnknownNameError, ParameterError: a name or a value that does not exist.
    """
    registry.find(method)
    sources = source_faces.shown_by(experiment)
    return engines.current().explain(trial.run, face, experiment, sources, method, emotion, params, maps, versions)


def smallest(
    face: Face, baseline: str = "mean face", versions: Mapping[str, str] | None = None
) -> dict[str, Counterfactual | None]:
    """By model, the fewest face parts that, hidden, change its answer, see `explain.lab.trial.smallest`."""
    return engines.current().explain(trial.smallest, face, baseline, versions)


def run_with_smallest(
    face: Face,
    experiment: Experiment,
    method: str = "gradcam",
    emotion: str = "",
    params: Mapping[str, Any] | None = None,
    smallest_change: bool = False,
) -> tuple[Outcome, dict[str, Counterfactual | None] | None]:
    """An experiment, and the fewest parts that change each model's prediction where it is asked for, else None.

    Args:
        face, experiment, method, emotion, params: see `run`.
        smallest_change: also search the fewest parts that change each prediction.
    """
    outcome = run(face, experiment, method, emotion, params)
    return outcome, smallest(face) if smallest_change else None
