"""Faces in, predictions out."""

from models import quiet

quiet.tensorflow()
