"""Speed as ratios, against the limits of the design: `make bench`, or `python -m tests.bench --help`.

Medians after a warm-up; what is compared is run in turns, so that a busy machine slows both. A model
without shipped weights is measured with random ones, which takes as long.
"""
