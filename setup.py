"""The packages of an installation: records, weights and pages lie next to them in a checkout, inside one in a wheel."""

from setuptools import find_packages, setup

WITHIN = {"reproductions.results": "results", "reproductions.docs": "docs"}

setup(
    packages=[*find_packages(include=["common*", "data_prep*", "reproductions*"]), *WITHIN],
    package_dir=WITHIN,
)
