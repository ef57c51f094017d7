"""Which songs make a triplet: anchor and positive are rated about as some song is, the negative is rated otherwise."""

from itertools import combinations

import numpy as np

NEAR, FAR = 0.1, 0.5  # from the rating of the song, on a scale of [-1, 1]
FEW = 15  # so many songs are all used; of more near ones a window of so many, of more far ones some
PAIRS, NEGATIVES = 10, 10  # drawn for a song
TRAINED_ON = 0.7  # of the pairs; the others only show the loss on triplets that are held out, which decides nothing


def mine(rating: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The triplets of every song to train on, (n, 3), as indices of anchor, positive and negative.

    rating: of each song, in [-1, 1], (n_songs,)
    """
    triplets = []
    for value in rating:
        near = np.flatnonzero((value - NEAR <= rating) & (rating <= value + NEAR))
        far = np.flatnonzero((value - FAR >= rating) | (rating >= value + FAR))
        if len(near) > FEW:
            first = rng.integers(len(near) - FEW)
            pairs = rng.choice(list(combinations(near[first : first + FEW], 2)), PAIRS, replace=False)
        else:
            pairs = list(combinations(near, 2))
        negatives = far if len(far) <= FEW else rng.choice(far, NEGATIVES, replace=False)
        pairs = pairs[: int(len(pairs) * TRAINED_ON)]
        triplets += [(*pair, negative) for pair in pairs for negative in negatives]
    return np.array(triplets)
