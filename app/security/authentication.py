"""The name and the password that a server can ask for."""

import base64
import binascii
import hmac


def is_authorized(given: str, user: str, password: str) -> bool:
    """Whether an Authorization header holds this name and password; takes equally long whichever is wrong."""
    scheme, _, coded = given.partition(" ")
    try:
        received = base64.b64decode(coded.strip(), validate=True)
    except (binascii.Error, ValueError):
        received = b""
    name, _, secret = received.partition(b":")
    right = hmac.compare_digest(name, user.encode()) & hmac.compare_digest(secret, password.encode())
    return scheme.lower() == "basic" and right
