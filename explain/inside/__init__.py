"""A network opened further than by a heatmap: its stages, what a cell sees and adds, and how two methods count."""
