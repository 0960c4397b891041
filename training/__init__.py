"""Data in, weights out."""

from models import quiet

quiet.tensorflow()  # before a module of training imports Keras
