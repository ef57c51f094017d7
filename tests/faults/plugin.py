"""A pytest plugin that plants one fault before tests are collected: pytest -p tests.faults.plugin --fault NAME."""

from tests.faults.catalogue import FAULTS
from tests.faults.planting import plant


def pytest_addoption(parser):
    parser.addoption("--fault", choices=sorted(FAULTS), help="the fault to plant")


def pytest_configure(config):
    if config.getoption("--fault"):
        plant(FAULTS[config.getoption("--fault")])
