"""Pictures and clips in base64."""

import base64
import re

from models.errors import PhotoError

WEB_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
DATA_ADDRESS = re.compile(r"\s*data:[^,]{0,100};base64,", re.IGNORECASE)
SPACE = re.compile(r"\s+")
BASE64 = re.compile(r"[\w+/-]+=*", re.ASCII)
"""The usual alphabet, and the one that addresses and file names take; the padding may be left out."""
PATH = re.compile(r"[\w-]*(/[\w-]*)+", re.ASCII)
SHORTEST = 100
"""What may be a path is taken for one where it is shorter than any picture."""


def decode(image: str, what: str = "picture") -> bytes:
    """The bytes of a picture or clip in base64, of the usual alphabet or the URL-safe one, bare or as a data: address.

    The padding may be missing.

    Args:
        image: the text.
        what: it is, for what is said of it.

    Raises:
        PhotoError: it is something else, such as an address on the web or a path.
    """
    if WEB_ADDRESS.match(image):
        raise PhotoError(
            f"The {what} did not come in base64", "an address", f"Download the {what} and send its content in base64"
        )
    text = SPACE.sub("", DATA_ADDRESS.sub("", image, count=1))
    if BASE64.fullmatch(text) and not (len(text) < SHORTEST and PATH.fullmatch(text)):
        text = text.rstrip("=").replace("-", "+").replace("_", "/")
        text += "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise PhotoError(
            f"The {what} did not come in base64", "other text", "Read the file and send its content in base64"
        ) from None
