"""Data in, weights out."""

from models import tensorflow_import

tensorflow_import.prepare()  # before a module of training imports Keras
