"""What stands beside a model: predictors that hear nothing, and ridge regression or an SVM on features of songs.

Each but `svm` takes labels (n_songs, targets) and indices of training and test songs, and returns (n_test, targets).
"""

import numpy as np


def training_mean(labels: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """The mean of the training songs, for every song."""
    return np.repeat(labels[train].mean(0, keepdims=True), len(test), axis=0)


def group_mean(labels: np.ndarray, train: np.ndarray, test: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The mean of the training songs of the same group (genre); the training mean for a group without any."""
    predicted = training_mean(labels, train, test)
    for group in np.unique(groups[train]):
        predicted[groups[test] == group] = labels[train][groups[train] == group].mean(0)
    return predicted


def ridge(labels: np.ndarray, train: np.ndarray, test: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Ridge regression on standardised song-averaged features, penalty by leave-one-out on the training songs."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 25)))
    return model.fit(features[train], labels[train]).predict(features[test])


def svm():
    """A classifier to fit on features of songs: they are standardised, then LIBSVM's default RBF SVM (C 1)."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(C=1.0, gamma="auto"))
