"""The web app: the page and the API."""

VERSION = "0.1.0"
"""As in pyproject.toml, which the image and the Space leave out; a test compares them."""
