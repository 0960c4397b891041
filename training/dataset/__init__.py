"""From photos to a dataset of faces, and from a dataset to a model that can be read."""
