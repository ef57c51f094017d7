"""Jakubik & Kwaśnicka 2017, Music Emotion Analysis Using Semantic Embedding Recurrent Neural Networks."""
