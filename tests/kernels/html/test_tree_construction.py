"""The tree-construction cases of html5lib-tests: pages, and the trees that the standard makes of them.

1,516 cases are of whole pages without scripts; 1,502 trees are equal, names, attributes and texts. Comments have no node in our
trees, and are left out of both.
"""

from pathlib import Path

import pytest

from pipeline.kernels.html.parser import parse
from tests.kernels.html.trees import FIXTURES, Case, cases, lines

FILES = sorted((FIXTURES / "tree-construction").glob("*.dat"))

# Cases by file and number whose trees differ. All have a <select>: the cases are of 2020, when most elements in a <select> were
# dropped. Since 2025 the standard keeps them (section 13.2.6.4.7; "in select" is no insertion mode any more).
DEVIATIONS = {
    ("menuitem-element.dat", 14),
    ("tests1.dat", 30),
    ("tests1.dat", 102),
    ("tests10.dat", 4),
    ("tests10.dat", 5),
    ("tests10.dat", 17),
    ("tests10.dat", 18),
    ("tests18.dat", 14),
    ("tests18.dat", 15),
    ("tests7.dat", 31),
    ("tests9.dat", 5),
    ("tests9.dat", 6),
    ("tests9.dat", 18),
    ("tests9.dat", 19),
}


def differs(case: Case) -> bool:
    return lines(parse(case.data)) != case.expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_trees_are_those_of_the_standard_except_those_listed(path: Path) -> None:
    """Also fails where a listed case passes, so that the list stays true."""
    different = {(case.file, case.number) for case in cases(path) if differs(case)}
    assert different == {deviation for deviation in DEVIATIONS if deviation[0] == path.name}


def test_every_case_is_read() -> None:
    every = [case for path in FILES for case in cases(path)]
    assert len(FILES) == 53
    assert len(every) == 1516
    assert {(case.file, case.number) for case in every} >= DEVIATIONS
    assert all(b"<select>" in case.data for case in every if (case.file, case.number) in DEVIATIONS)
