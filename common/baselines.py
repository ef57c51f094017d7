"""Baselines: means and the most frequent class, and ridge regression or an SVM on features of songs.

Regressions take labels (n_songs, targets) and indices of training and test songs, and return (n_test, targets);
`majority` and `svm` return a classifier of scikit-learn.
"""

import numpy as np


def training_mean(labels: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """The mean of the training songs, for every song.

    Parameters
    ----------
    labels : float (n_songs, n_targets)
    train, test : int (n,)
        Indices of songs.

    Returns
    -------
    float (n_test, n_targets)
    """
    return np.repeat(labels[train].mean(0, keepdims=True), len(test), axis=0)


def group_mean(labels: np.ndarray, train: np.ndarray, test: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The mean of the training songs of the same group; the training mean for a group without any.

    Parameters
    ----------
    labels : float (n_songs, n_targets)
    train, test : int (n,)
        Indices of songs.
    groups : (n_songs,)
        As genres.

    Returns
    -------
    float (n_test, n_targets)
    """
    predicted = training_mean(labels, train, test)
    for group in np.unique(groups[train]):
        predicted[groups[test] == group] = labels[train][groups[train] == group].mean(0)
    return predicted


def ridge(labels: np.ndarray, train: np.ndarray, test: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Ridge regression on standardised song-averaged features, penalty by leave-one-out on the training songs.

    Parameters
    ----------
    labels : float (n_songs, n_targets)
    train, test : int (n,)
        Indices of songs.
    features : float (n_songs, n_features)

    Returns
    -------
    float (n_test, n_targets)
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 25)))
    return model.fit(features[train], labels[train]).predict(features[test])


def majority():
    """A classifier to fit, which predicts the most frequent class of the training songs."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent")


def svm():
    """A classifier to fit on features of songs: they are standardised, then LIBSVM's default RBF SVM (C 1)."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(C=1.0, gamma="auto"))


def classify(classifier, samples, split) -> dict[str, np.ndarray]:
    """Fit a classifier to all songs of a split that are not tested, and predict the others.

    Parameters
    ----------
    classifier : of scikit-learn
    samples : Samples
        x (n_songs, n_features), y class numbers (n_songs,).
    split : Split

    Returns
    -------
    dict
        Class numbers (n_test,) by the names of `split.tests`.
    """
    known = np.concatenate([split.train, split.validation])
    fitted = classifier.fit(samples.x[known], samples.y[known])
    return {name: fitted.predict(samples.x[songs]) for name, songs in split.tests.items()}
