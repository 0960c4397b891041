"""Everything that FaceWhy raises on purpose.

    FaceWhyError
    ├── PhotoError              the picture given
    │   ├── EmptyPhotoError         nothing was given
    │   ├── UnreadablePhotoError    not a picture, truncated, or an unknown format
    │   ├── PhotoTooLargeError      too many bytes or pixels
    │   └── PhotoTooSmallError      too few pixels to hold a face
    ├── ClipError               the clip given
    │   ├── EmptyClipError          nothing was given
    │   ├── UnreadableClipError     not a clip, without pictures, truncated, or an unknown format
    │   └── ClipTooLargeError       too many bytes, seconds, pixels or frames
    ├── NoFaceError             no face in the picture
    ├── UnknownNameError        a model, emotion, method or parameter that does not exist
    │   └── UnknownModelError       a model, or a version of it
    ├── ParameterError          a parameter outside its range
    ├── UnsuitableMethodError   a method that cannot explain this model
    ├── WeightsError            a set of weights that cannot be used
    │   ├── WeightsNotFoundError    not in the source that was asked
    │   └── WeightsMismatchError    not what its card says
    ├── DataError               training data that cannot be used
    │   └── DatasetError            a dataset of faces that is absent, of another version, or incomplete
    ├── RunError                a training run that cannot begin, go on or be written
    │   └── DivergedError           its loss is no longer a finite number
    ├── HubError                the Hugging Face Hub refuses or does not answer
    └── BusyError               too many ask at once

A message says what happened, then what was received, then what to do.
"""


class FaceWhyError(Exception):
    """The root of the tree.

    Args:
        happened: what happened, one sentence without the full stop, such as "No face was found in the picture";
            never what should be, such as "A face can be seen".
        received: the value or state that was met; empty where there is nothing to name.
        advice: the one thing to do about it, without the full stop.
    """

    def __init__(self, happened: str, received: str = "", advice: str = ""):
        self.happened, self.received, self.advice = happened, received, advice
        super().__init__(happened, received, advice)

    @property
    def code(self) -> str:
        """A stable name for programs: the class name without 'Error'."""
        return type(self).__name__.removesuffix("Error")

    def __str__(self) -> str:
        received = self.received and f"Received: {self.received}"
        return " ".join(f"{part.rstrip('. ')}." for part in (self.happened, received, self.advice) if part)


class PhotoError(FaceWhyError):
    """The picture that was given cannot be used."""


class EmptyPhotoError(PhotoError):
    """No picture was given."""


class UnreadablePhotoError(PhotoError):
    """The data is no picture, is truncated, or has a format that nothing here decodes."""


class PhotoTooLargeError(PhotoError):
    """The picture has more bytes or pixels than allowed."""


class PhotoTooSmallError(PhotoError):
    """The picture has too few pixels to hold a face."""


class ClipError(FaceWhyError):
    """The clip that was given cannot be used."""


class EmptyClipError(ClipError):
    """No clip was given."""


class UnreadableClipError(ClipError):
    """The data is no clip, has no pictures, is damaged, or has a format that nothing here decodes."""


class ClipTooLargeError(ClipError):
    """The clip has more bytes, seconds, pixels or frames than allowed."""


class NoFaceError(FaceWhyError):
    """No face was found in the picture."""


class UnknownNameError(FaceWhyError):
    """A model, emotion, method or parameter that does not exist."""


class UnknownModelError(UnknownNameError):
    """A model, or a version of it, that does not exist."""


class ParameterError(FaceWhyError):
    """A parameter has the wrong type or lies outside its range."""


class UnsuitableMethodError(FaceWhyError):
    """A method of explanation needs something that the model does not have."""


class WeightsError(FaceWhyError):
    """A set of weights cannot be used."""


class WeightsNotFoundError(WeightsError):
    """The source that was asked does not hold the weights."""


class WeightsMismatchError(WeightsError):
    """The weights are not what their card says: wrong hash, shape or name."""


class DataError(FaceWhyError):
    """Training data is missing something or cannot be read."""


class DatasetError(DataError):
    """A dataset of faces is absent, of another version, or lacks a column or a file."""


class RunError(FaceWhyError):
    """A training run cannot begin, go on, or be written."""


class HubError(FaceWhyError):
    """The Hugging Face Hub refuses what was asked of it, or does not answer."""


class DivergedError(RunError):
    """The loss of a training run is no longer a finite number."""


class BusyError(FaceWhyError):
    """Too many ask at once.

    Args:
        happened, received, advice: see `FaceWhyError`.
        seconds: when to come back.
    """

    def __init__(self, happened: str, received: str = "", advice: str = "", seconds: int = 1):
        self.seconds = seconds
        super().__init__(happened, received, advice)


def in_shell(error: FaceWhyError | OSError) -> str:
    """What a command says of an error: its own sentences, or those of a file that the system refused."""
    if isinstance(error, OSError):
        error = FaceWhyError("A file could not be read or written", str(error), "Make room, or give another folder")
    return str(error)
