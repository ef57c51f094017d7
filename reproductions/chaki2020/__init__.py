"""Chaki et al. 2020: attentive LSTM for valence and arousal every half second."""
