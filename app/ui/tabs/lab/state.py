"""What a visitor of the Lab is working on."""

from dataclasses import dataclass, field, replace
from typing import Any

from app.ui.cancellation import Cancellation
from explain.base import Explanation
from explain.lab.counterfactual import Counterfactual
from explain.lab.steps import Experiment

MOST_UNDONE = 40


@dataclass(frozen=True, eq=False)
class LabState:
    """What one visitor is working on at a moment; no picture and no network.

    Attributes:
        experiment: the steps so far.
        method, emotion: whose heatmap is held to it, and for which emotion; "" for what the models see on average.
        part: what is taken from an example face, a key of `lab_text.PARTS`.
        past: the experiments before, the last one last.
        about: what `maps` and `found` speak about: the photo's key and the chosen face.
        maps: heatmaps that need not be made again, by method, model and emotion.
        followed: the method that the tab Explain showed when the Lab was opened last.
        prepared: the key of the wish that the Lab was opened with last, see `Shared.prepared`.
        found: what hidden parts showed in the search for the fewest parts, and what it found by
            model; None before.
    """

    experiment: Experiment = Experiment()
    method: str = "gradcam"
    emotion: str = ""
    part: str = "mouth"
    past: tuple[Experiment, ...] = ()
    about: tuple[Any, ...] = ()
    maps: dict[tuple[str, str, int], Explanation] = field(default_factory=dict)
    followed: str = ""
    prepared: str = ""
    found: tuple[str, dict[str, Counterfactual | None]] | None = None

    def with_experiment(self, experiment: Experiment) -> "LabState":
        """With another experiment, which can be undone."""
        if experiment == self.experiment:
            return self
        return replace(self, experiment=experiment, past=(*self.past, self.experiment)[-MOST_UNDONE:])


class Latest:
    """The state on which every click finds what the click before it did; lives in a `gr.State`.

    Attributes:
        state: as it is now.
        cancellation: what is on the screen comes from the latest run.
    """

    def __init__(self, state: LabState | None = None):
        self.state, self.cancellation = state or LabState(), Cancellation()
