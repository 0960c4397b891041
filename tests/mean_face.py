"""An average face's keypoints, to cut regions from."""

import numpy as np

MEAN_KEYPOINTS = np.array(
    [
        (31.4, 18.9),
        (16.0, 18.9),
        (28.4, 19.0),
        (34.3, 18.7),
        (19.0, 19.0),
        (13.1, 18.7),
        (28.2, 13.9),
        (37.7, 14.8),
        (19.2, 13.9),
        (9.7, 14.8),
        (23.7, 28.1),
        (30.0, 35.9),
        (17.4, 35.9),
        (23.7, 34.1),
        (23.7, 39.1),
    ],
    np.float32,
)
"""Where keypoints lie in a crop on average: the mean of 4,232 framed faces and their mirror images, in its pixels."""
