"""Starlette's parser of forms, by which pictures reach the REST API."""

from starlette.formparsers import MultiPartParser


def keep_in_memory(size: int) -> None:
    """Let a file of a form become a temporary file only from so many bytes on."""
    MultiPartParser.spool_max_size = size
