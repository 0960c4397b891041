"""`make load`: 50 clients at once on a server of its own, as a table."""
