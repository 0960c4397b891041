"""Versions of weights: exported from runs, written in other formats, published."""
