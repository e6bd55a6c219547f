from __future__ import annotations

from pathlib import Path

import pytest

from edged.errors import ModelError
from edged.models.derive import Derived, derived_faults, find_derived


class Maker:
    """Counts how often it makes the file."""

    def __init__(self, content: bytes = b"merged") -> None:
        self.content, self.made = content, 0

    def __call__(self, path: Path) -> None:
        self.made += 1
        path.write_bytes(self.content)


def derived(make: Maker, **inputs: str) -> Derived:
    return Derived("toy-merged", "toy-merged.gguf", inputs or {"toy": "00"}, make)


def test_derived_file_is_made_once(tmp_path: Path) -> None:
    make = Maker()

    first = find_derived(derived(make), tmp_path)
    second = find_derived(derived(make), tmp_path)

    assert first == second
    assert first.read_bytes() == b"merged"
    assert make.made == 1


def test_other_inputs_make_it_anew(tmp_path: Path) -> None:
    make = Maker()

    find_derived(derived(make, toy="00"), tmp_path)
    find_derived(derived(make, toy="01"), tmp_path)

    assert make.made == 2


def test_failed_making_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise ModelError("no good")

    with pytest.raises(ModelError, match="no good"):
        find_derived(Derived("toy-merged", "toy-merged.gguf", {}, fail), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".toy-merged.lock"]


def test_damaged_file_is_not_used(tmp_path: Path) -> None:
    make = Maker()
    find_derived(derived(make), tmp_path).write_bytes(b"meddle")

    assert len(derived_faults("toy-merged", tmp_path)) == 1
    with pytest.raises(ModelError, match="instead of") as caught:
        find_derived(derived(make), tmp_path)
    assert "made anew" in caught.value.remedy


def test_copied_file_is_verified_by_its_own_hash(tmp_path: Path) -> None:
    make = Maker()
    path = find_derived(derived(make), tmp_path)
    path.unlink()
    path.write_bytes(b"merged")

    assert find_derived(derived(make), tmp_path) == path
    assert make.made == 1
    assert derived_faults("toy-merged", tmp_path) == []


def test_missing_file_is_a_fault(tmp_path: Path) -> None:
    find_derived(derived(Maker()), tmp_path).unlink()

    assert derived_faults("toy-merged", tmp_path) == ["toy-merged.gguf is missing"]
