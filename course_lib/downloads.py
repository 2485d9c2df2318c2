"""Optional data sets: where they come from, where they are kept, and what to do when they cannot be had.

A file is looked for in the folder ``$COURSE_LIB_DATA``, then in the user's cache, and then fetched over the
network into that cache. Whatever the way, its sha256 sum is checked before a byte of it is used.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

TIMEOUT = 10.0  # seconds that a server may be silent

_GITHUB = "https://raw.githubusercontent.com"
_MULTI30K = f"{_GITHUB}/multi30k/dataset/master/data/task1/raw"
REGISTRY: dict[str, tuple[str, str]] = {  # file name: (address, sha256 sum)
    "tiny_shakespeare.txt": (
        f"{_GITHUB}/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),
    "names.txt": (
        f"{_GITHUB}/karpathy/makemore/master/names.txt",
        "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"),
} | {
    f"multi30k.{part}.gz": (f"{_MULTI30K}/{part}.gz", sha256) for part, sha256 in {
        "train.de": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
        "train.en": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
        "val.de": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
        "val.en": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
        "test_2016_flickr.de": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
        "test_2016_flickr.en": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    }.items()
}


class DataUnavailable(OSError):
    """An optional data set is not on this computer, and could not be fetched."""


class DataCorrupted(OSError):
    """A data file is there, but is not the one that the book was made with."""


def available(name: str) -> bool:
    """Whether ``"tiny_shakespeare"``, ``"names"`` or all of ``"multi30k"`` can be read without a network.

    Also takes the name of one file. Errors: ValueError for a name that is none of these.
    """
    files = [file for file in REGISTRY if name in (file, file.split(".")[0])]
    if not files:
        raise ValueError(f"there is no data set {name!r}: there are tiny_shakespeare, names and multi30k")
    return all(_find(file) for file in files)


def cache_folder() -> Path:
    """Where downloads are kept: a folder of this user, outside the package and the working directory."""
    import pooch  # here, because only downloads need it

    return Path(pooch.os_cache("course_lib"))


def _data_folder() -> Path | None:
    """The folder ``$COURSE_LIB_DATA``, if it is set."""
    folder = os.environ.get("COURSE_LIB_DATA", "")
    if folder and not Path(folder).expanduser().is_dir():
        raise NotADirectoryError(f"COURSE_LIB_DATA={folder!r} is not a folder: set it to one, or unset it")
    return Path(folder).expanduser() if folder else None


def _find(name: str) -> Path | None:
    folder = _data_folder()
    if folder and (folder / name).is_file():
        return folder / name
    cached = cache_folder() / name
    return cached if cached.is_file() else None


def load(name: str) -> bytes:
    """The bytes of a file of the registry, from the first place that has it, once their sum is right."""
    if path := _find(name):
        data = path.read_bytes()
        _check_sum(data, name, f"the file {path}", "delete it, and call again to fetch a fresh copy")
        return data
    return _download(name)


def _check_sum(data: bytes, name: str, where: str, remedy: str) -> None:
    expected, found = REGISTRY[name][1], hashlib.sha256(data).hexdigest()
    if found != expected:
        raise DataCorrupted(
            f"{where} ({len(data):,} bytes) is not the {name} of the book: it was cut short or changed.\n"
            f"  sha256 expected: {expected}\n"
            f"  sha256 found:    {found}\n"
            f"  What to do: {remedy}.")


def _download(name: str) -> bytes:
    """Fetch a file into the cache.

    It appears there under its own name only when it is whole and its sum is right.
    """
    import pooch
    import requests

    url, folder, temporary = REGISTRY[name][0], cache_folder(), None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=name, suffix=".part", dir=folder)
        os.close(handle)
        pooch.HTTPDownloader(timeout=TIMEOUT)(url, temporary, None)
        data = Path(temporary).read_bytes()
        _check_sum(data, name, f"what came from {url}", f"nothing was kept; call again, or {_by_hand(name)}")
        os.replace(temporary, folder / name)
    except requests.RequestException as error:
        reason = type(error).__name__ if error.response is None else f"status {error.response.status_code}"
        raise _unavailable(name, f"fetching it failed ({reason})", "connect and call again") from error
    except DataCorrupted:
        raise
    except OSError as error:
        problem = f"the cache cannot be written ({error})"
        raise _unavailable(name, problem, f"make {folder} a folder you can write to") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return data


def _by_hand(name: str) -> str:
    return f"download it by hand, save it as {name} in a folder, and set COURSE_LIB_DATA to that folder"


def _unavailable(name: str, problem: str, remedy: str) -> DataUnavailable:
    return DataUnavailable(
        f"{name} is not on this computer, and {problem}.\n"
        f"  Looked in: COURSE_LIB_DATA ({_data_folder() or 'not set'}), then {cache_folder()}\n"
        f"  Address: {REGISTRY[name][0]}\n  What to do: {remedy}, or {_by_hand(name)}.")
