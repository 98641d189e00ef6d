"""The planted defects fit the sources as they are, and of each kind one is tried: it is found."""

from collections import Counter

import pytest

from tests.architecture.sources import ROOT
from tests.planted.defect import Defect
from tests.planted.defects import DEFECTS
from tests.planted.guards import GUARDING, KEEPING_OUT, RECORDING
from tests.planted.inside import BINDING, DECIDING
from tests.planted.planting import is_found, nursery, occurrences

# One of each kind whose tests take a moment; `python3 -m tests.planted` tries them all.
SAMPLE = (DECIDING[0], GUARDING[3], KEEPING_OUT[3])


def test_there_are_at_least_forty_of_every_kind() -> None:
    kinds = (DECIDING, BINDING, GUARDING, RECORDING, KEEPING_OUT)

    assert len(DEFECTS) >= 40
    assert min(len(kind) for kind in kinds) >= 5
    assert Counter(each.about for each in DEFECTS).most_common(1)[0][1] == 1


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: each.about)
def test_the_line_that_is_spoilt_stands_there_once(defect: Defect) -> None:
    assert occurrences(defect) == 1
    assert defect.new != defect.old
    assert (ROOT / defect.finds.partition("::")[0]).is_file()


@pytest.mark.slow
def test_a_sample_is_found_and_what_is_sound_is_not() -> None:
    none = Defect("nothing", SAMPLE[0].file, SAMPLE[0].old, SAMPLE[0].old, SAMPLE[0].finds)

    with nursery() as copy:
        assert not is_found(copy, none)
        assert [is_found(copy, defect) for defect in SAMPLE] == [True] * len(SAMPLE)
