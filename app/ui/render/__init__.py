"""Results as HTML and as charts."""
