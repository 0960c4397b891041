"""What stands in a dataset of faces: read from a folder, filtered, counted."""
