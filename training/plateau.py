"""What the validation figures of the epochs so far say: learn more slowly, or stop.

Both follow from the log alone, so a run that is resumed decides as one that was not.
"""

from collections.abc import Sequence

from training.config import Config

FACTOR = 0.5
"""What the learning rate is multiplied with at a plateau."""
EPOCHS = 5
"""So many epochs without a better figure are a plateau."""
DELTA = 1e-4
"""What a figure must be better by to count, at a plateau."""


def reductions(figures: Sequence[float]) -> int:
    """How many plateaus there were, as `keras.callbacks.ReduceLROnPlateau` counts them.

    Args:
        figures: one an epoch, more is better.
    """
    best, waited, count = float("-inf"), 0, 0
    for figure in figures:
        if figure > best + DELTA:
            best, waited = figure, 0
            continue
        waited += 1
        if waited >= EPOCHS:
            waited, count = 0, count + 1
    return count


def rate(config: Config, figures: Sequence[float]) -> float:
    """The learning rate of the next epoch with the schedule "plateau": it rises in steps, then halves at plateaus.

    Args:
        config: of the run.
        figures: one for each epoch that is done, more is better.
    """
    rise = round(config.warmup * config.epochs)
    return config.learning_rate * min(1.0, (len(figures) + 1) / (rise + 1)) * FACTOR ** reductions(figures)


def exhausted(figures: Sequence[float], patience: int) -> bool:
    """Whether so many epochs in a row brought no better figure; never with a patience of 0."""
    if not patience or len(figures) == 0:
        return False
    best = max(range(len(figures)), key=figures.__getitem__)
    return len(figures) - 1 - best >= patience
