"""Pons & Serra 2019: MusiCNN as a frozen embedding with ridge regression, a reference for the papers' networks."""
