"""What is noticed of files, by the real inotify and by polling; time is injected."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edged.ops import watch as watch_module
from edged.ops.watch import Inotify, Pace, Polling, Target, Watcher, look_up

WAIT_S = 10.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc" / "schemas").mkdir(parents=True)
    (tmp_path / "etc" / "schemas" / "a.json").write_text("1")
    (tmp_path / "etc" / "home.toml").write_text("1")
    return tmp_path


@pytest.fixture
def target(root: Path) -> Target:
    return Target(root / "etc" / "schemas", root / "etc" / "home.toml")


@pytest.fixture
def inotify(target: Target) -> Iterator[Inotify]:
    inotify = Inotify(target)
    inotify.arm()
    yield inotify
    inotify.close()


@pytest.fixture
def polling(target: Target) -> Polling:
    polling = Polling(target, pause=lambda _s: None)
    polling.arm()
    return polling


def noticed(source: Inotify) -> bool:
    """Whether any of the events that are there by now matters."""
    return any([source.wait(0) for _ in range(20)])


def swap(link: Path, to: Path) -> None:
    """As `ln -sfn` does, in one step."""
    new = link.with_name("new-link")
    new.symlink_to(to)
    new.rename(link)


def save(path: Path, text: str = "2") -> None:
    path.write_text(text)


def save_atomically(path: Path) -> None:
    new = path.with_name(f"{path.name}.tmp")
    new.write_text("2")
    new.rename(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file is written": lambda etc: save(etc / "schemas" / "a.json"),
    "a file is replaced": lambda etc: save_atomically(etc / "schemas" / "a.json"),
    "a file comes": lambda etc: save(etc / "schemas" / "b.json"),
    "a file goes": lambda etc: (etc / "schemas" / "a.json").unlink(),
    "a file is renamed": lambda etc: (etc / "schemas" / "a.json").rename(etc / "schemas" / "b.json"),
    "a file is moved away": lambda etc: (etc / "schemas" / "a.json").rename(etc / "a.json"),
    "a file may be read again": lambda etc: (etc / "schemas" / "a.json").chmod(0o600),
    "a linked file comes": lambda etc: (etc / "schemas" / "b.json").symlink_to("nowhere"),
    "the house is written": lambda etc: save(etc / "home.toml"),
    "the house is replaced": lambda etc: save_atomically(etc / "home.toml"),
    "the house goes": lambda etc: (etc / "home.toml").unlink(),
    "the folder goes": lambda etc: (etc / "schemas").rename(etc / "away"),
    "the folder above goes": lambda etc: etc.rename(etc.with_name("away")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_inotify_notices_that(root: Path, inotify: Inotify, change: str) -> None:
    assert not noticed(inotify)
    CHANGES[change](root / "etc")
    assert noticed(inotify)


@pytest.mark.parametrize("change", CHANGES)
def test_polling_notices_that(root: Path, polling: Polling, change: str) -> None:
    assert not polling.wait(1)
    CHANGES[change](root / "etc")
    assert polling.wait(1)
    assert not polling.wait(1)


@pytest.mark.parametrize("name", [".a.json.swp", "a.json~", "#a.json#", "4913", "a.json.tmp", ".#a.json", "notes.txt"])
def test_temporary_files_are_not_noticed(root: Path, inotify: Inotify, polling: Polling, name: str) -> None:
    save(root / "etc" / "schemas" / name)
    save(root / "etc" / name)
    (root / "etc" / "schemas" / name).unlink()
    assert not noticed(inotify)
    assert not polling.wait(1)


def test_reading_is_no_change(root: Path, inotify: Inotify) -> None:
    (root / "etc" / "schemas" / "a.json").read_text()
    list((root / "etc" / "schemas").iterdir())
    assert not noticed(inotify)


def test_a_folder_that_comes_back_is_watched_again(root: Path, inotify: Inotify) -> None:
    (root / "etc" / "schemas").rename(root / "away")
    assert noticed(inotify)
    inotify.arm()
    (root / "etc" / "schemas").mkdir()
    assert noticed(inotify)
    inotify.arm()
    noticed(inotify)
    save(root / "etc" / "schemas" / "b.json")
    assert noticed(inotify)


def test_the_old_folder_is_watched_no_more(root: Path, inotify: Inotify) -> None:
    (root / "etc" / "schemas").rename(root / "away")
    (root / "etc" / "schemas").mkdir()
    inotify.arm()
    noticed(inotify)
    save(root / "away" / "b.json")
    assert not noticed(inotify)
    assert _kernel_watches(inotify) == len(inotify._names)


# Links


def test_the_target_of_a_linked_file_is_watched(root: Path, inotify: Inotify) -> None:
    (root / "store").mkdir()
    save(root / "store" / "lamp")
    (root / "etc" / "schemas" / "b.json").symlink_to("../../store/lamp")
    assert noticed(inotify)
    inotify.arm()
    noticed(inotify)
    save(root / "store" / "lamp", "3")
    assert noticed(inotify)


def test_a_folder_behind_a_link_that_is_swapped_is_noticed(root: Path) -> None:
    """As git worktrees and releases do: current -> releases/1."""
    for number in ("1", "2"):
        (root / "releases" / number).mkdir(parents=True)
        save(root / "releases" / number / "a.json")
    (root / "current").symlink_to("releases/1")
    inotify = Inotify(Target(root / "current", root / "etc" / "home.toml"))
    inotify.arm()
    swap(root / "current", Path("releases/2"))
    assert noticed(inotify)
    inotify.arm()
    noticed(inotify)
    save(root / "releases" / "2" / "a.json", "3")
    assert noticed(inotify)
    save(root / "releases" / "1" / "a.json", "3")
    assert not noticed(inotify)
    inotify.close()


def test_files_behind_a_hidden_link_that_is_swapped_are_noticed(root: Path) -> None:
    """As Kubernetes mounts a ConfigMap: a.json -> ..data/a.json, ..data -> ..1."""
    mount = root / "mount"
    for number in ("..1", "..2"):
        (mount / number).mkdir(parents=True)
        save(mount / number / "a.json")
        save(mount / number / "home.toml")
    (mount / "..data").symlink_to("..1")
    for name in ("a.json", "home.toml"):
        (mount / name).symlink_to(f"..data/{name}")
    target = Target(mount, mount / "home.toml")
    inotify, polling = Inotify(target), Polling(target, pause=lambda _s: None)
    inotify.arm()
    polling.arm()
    swap(mount / "..data", Path("..2"))
    assert noticed(inotify)
    assert polling.wait(1)
    inotify.close()


def test_a_link_that_is_swapped_while_its_target_is_looked_up_is_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "2"):
        (root / number).mkdir()
    (root / "current").symlink_to("1")
    target = Target(root / "current", root / "etc" / "home.toml")
    find, found = target.find_folders, []

    def find_and_swap() -> dict[str, set[str]]:
        found.append(find())
        if len(found) == 1:
            swap(root / "current", Path("2"))
        return found[-1]

    monkeypatch.setattr(target, "find_folders", find_and_swap)
    inotify = Inotify(target)
    inotify.arm()
    noticed(inotify)
    save(root / "2" / "a.json")
    assert noticed(inotify)
    inotify.close()


def test_the_way_to_a_file_leads_through_its_links(root: Path) -> None:
    (root / "link").symlink_to("etc")
    (root / "etc" / "self").symlink_to("../etc/./schemas")
    names = [name for _, name in look_up(root / "link" / "self" / "a.json")]
    assert names[-6:] == ["link", "etc", "self", "etc", "schemas", "a.json"]


def test_a_link_to_itself_ends(root: Path) -> None:
    (root / "loop").symlink_to("loop")
    assert len(list(look_up(root / "loop" / "a"))) < 60


# What inotify loses or cannot do


def test_lost_events_count_as_a_change(inotify: Inotify, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    overflow = watch_module._EVENT.pack(-1, 0x4000, 0, 0)
    save(root / "etc" / "notes.txt")
    monkeypatch.setattr(os, "read", lambda _descriptor, _size: overflow)
    assert inotify.wait(WAIT_S)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSYS])
def test_without_inotify_files_are_looked_at(target: Target, number: int, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_target: Target) -> Inotify:
        raise OSError(number, os.strerror(number))

    with Watcher(target, make_source=refuse) as watcher:
        assert watcher.wait(0)
        assert isinstance(watcher._source, Polling)
    assert caplog.text.count("inotify cannot be used") == 1


def test_without_watches_left_files_are_looked_at(
    root: Path, target: Target, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_inotify: Inotify, _folder: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = _descriptors()
    with Watcher(target) as watcher:
        monkeypatch.setattr(Inotify, "_add", full)
        assert watcher.wait(0)
        polling = watcher._source
        assert isinstance(polling, Polling)
        polling._pause = lambda _s: None
        save(root / "etc" / "schemas" / "b.json")
        watcher.wait(1)
        assert watcher._pace.due_s < math.inf
        assert _descriptors() == before
    assert "inotify cannot be used" in caplog.text


def test_files_of_another_machine_are_looked_at(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "_is_remote", lambda _libc, _folder: True)
    with Watcher(target) as watcher:
        assert watcher.wait(0)
        assert isinstance(watcher._source, Polling)


def test_a_file_system_of_another_machine_is_known_by_its_number(tmp_path: Path) -> None:
    class Libc:
        def statfs(self, _folder: bytes, buffer: list[int]) -> int:
            buffer[0] = 0x6969
            return 0

    assert watch_module._is_remote(Libc(), str(tmp_path))  # type: ignore[arg-type]


# When to read


def test_the_files_are_read_after_a_quiet_moment() -> None:
    pace = Pace()
    pace.read(0.0)
    assert pace.due_s == math.inf
    pace.notice(10.0)
    pace.notice(10.1)
    assert pace.due_s == pytest.approx(10.3)


def test_the_files_are_read_within_a_second_even_without_a_quiet_moment() -> None:
    pace = Pace()
    pace.read(0.0)
    for tenth in range(30):
        pace.notice(10.0 + tenth / 10)
    assert pace.due_s == pytest.approx(11.0)


def test_the_files_are_read_once_a_second_at_most() -> None:
    pace = Pace()
    pace.read(10.0)
    pace.notice(10.1)
    assert pace.due_s == pytest.approx(11.0)


class Script:
    """A source that plays changes at given times, and moves the clock as it waits."""

    def __init__(self, times_s: list[float]) -> None:
        self.now_s = 0.0
        self.armed = 0
        self._times_s = times_s

    def arm(self) -> None:
        self.armed += 1

    def wait(self, timeout_s: float) -> bool:
        if self._times_s and self._times_s[0] <= self.now_s + timeout_s:
            self.now_s = max(self.now_s, self._times_s.pop(0))
            return True
        self.now_s += timeout_s
        return False

    def close(self) -> None:
        pass


def _readings(script: Script, until_s: float) -> list[float]:
    watcher = Watcher(Target(Path("/a"), Path("/b")), make_source=lambda _target: script, clock=lambda: script.now_s)
    times = []
    while script.now_s < until_s:
        if watcher.wait(0.5):
            times.append(round(script.now_s, 3))
    return times


def test_the_files_are_read_at_first_and_after_each_change() -> None:
    script = Script([5.0, 9.0, 9.1])
    assert _readings(script, 20) == [0.0, 5.2, 9.3]
    assert script.armed == 3


def test_a_thousand_saves_in_a_minute_are_sixty_readings_and_none_waits_long() -> None:
    saves = [10 + number * 0.06 for number in range(1000)]
    readings = _readings(Script(list(saves)), 80)
    assert 55 <= len(readings) <= 65
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(readings))
    assert all(min(reading for reading in readings if reading >= save) - save <= 1.001 for save in saves)


def test_nothing_grows_with_a_thousand_saves(root: Path, target: Target) -> None:
    inotify = Inotify(target)
    inotify.arm()
    descriptors, watches = _descriptors(), len(inotify._names)
    for _ in range(1000):
        save_atomically(root / "etc" / "schemas" / "a.json")
        assert noticed(inotify)
        inotify.arm()
    assert (_descriptors(), len(inotify._names)) == (descriptors, watches)
    assert _kernel_watches(inotify) == watches
    inotify.close()


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _kernel_watches(inotify: Inotify) -> int:
    return Path(f"/proc/self/fdinfo/{inotify._descriptor}").read_text().count("inotify wd:")
