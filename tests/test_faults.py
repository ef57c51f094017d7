"""A dozen planted faults are noticed; python -m tests.faults plants all of them."""

import pytest

from tests.faults.__main__ import run
from tests.faults.catalogue import DOZEN, FAULTS, KINDS


@pytest.mark.parametrize("name", DOZEN)
def test_a_planted_fault_is_noticed(name):
    code, failed = run(FAULTS[name].guards, name)
    assert code == 1, failed
    assert failed.split("[")[0] in FAULTS[name].guards


def test_every_kind_has_faults_and_every_name_is_its_own():
    assert len(FAULTS) == sum(len(faults) for faults in KINDS.values()) >= 40
    assert set(DOZEN) <= FAULTS.keys() and len({FAULTS[name].kind for name in DOZEN}) >= 6
