"""What people are told about an error; what is not meant for them goes to the log."""

import logging
import traceback

from models.errors import FaceWhyError, WeightsError

log = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong on our side. Nothing of your picture was kept. Please try again."
UNAVAILABLE = "This model cannot be used at the moment. Choose another model, or try again later."


def message(error: Exception, otherwise: str = UNEXPECTED) -> str:
    """What is shown for an error: its own words if it is one of ours, else a neutral sentence.

    Args:
        error: anything that was raised; gradio wraps what a component raises, so its cause counts.
        otherwise: the sentence for errors that are not ours.
    """
    for ours in (error, error.__cause__):
        if isinstance(ours, WeightsError):
            log.error("%s", ours)  # why weights are refused names folders of the server
            return UNAVAILABLE
        if isinstance(ours, FaceWhyError):
            return str(ours)
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s\n%s", type(error).__name__, frames)
    return otherwise
