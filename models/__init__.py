"""Faces in, predictions out."""

from models import tensorflow_import

tensorflow_import.prepare()
