"""The commands of `python -m app`: one file a command, one function of its name in it."""
