"""The web app: the page and the API."""
