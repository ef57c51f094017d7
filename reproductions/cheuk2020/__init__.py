"""Cheuk et al. 2020: triplet network on mean openSMILE features, gradient boosting, song ratings of DEAM."""
