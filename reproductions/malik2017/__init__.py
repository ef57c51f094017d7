"""Malik et al. 2017."""
