"""The app on a Ray cluster on this machine."""
