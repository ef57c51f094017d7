"""Pellegrini & Barrière 2015: linear regression on 260 openSMILE features, MediaEval 2015 "Emotion in Music"."""
