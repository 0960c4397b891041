"""The web app: the page and the API."""

from app.ui.gradio_overrides import start

start.prepare()

VERSION = "0.1.0"
"""As in pyproject.toml, which the image and the Space leave out; a test compares them."""
