"""The REST API."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from models import zoo


def create() -> FastAPI:
    """An application with the REST routes and their documentation at /docs, whose assets are our own."""
    application = FastAPIOffline(title="FaceWhy", version="1")

    @application.get("/health")
    def health() -> dict:
        return {"models": {name: status.state for name, status in zoo.loaded().items()}}

    return application
