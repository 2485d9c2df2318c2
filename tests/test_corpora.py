"""Corpora: nothing is lost between text and arrays, and what goes wrong on the way to a text is said."""

import contextlib
import gzip
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import corpora, downloads
from course_lib.tokens import sentences, words

IDS = st.lists(st.integers(0, 99), min_size=1, max_size=60)

# ---- the Tales ---------------------------------------------------------------------------------------------


def test_tales_have_titles_paragraphs_and_parts():
    found = corpora.tales()
    assert len(found) > 10
    assert all(tale.title and tale.paragraphs and tale.part for tale in found)
    assert [tale.part for tale in found] == sorted(tale.part for tale in found)
    assert found[0].text == "\n\n".join(found[0].paragraphs)
    with pytest.raises(AttributeError):
        found[0].title = "changed"
    found.clear()
    assert corpora.tales()


def test_tales_text_holds_every_title_and_paragraph_once_in_order():
    pieces = [piece for tale in corpora.tales() for piece in (tale.title, *tale.paragraphs)]
    text = corpora.tales_text()
    assert text == "\n\n".join(pieces) + "\n"
    assert "#" not in text
    first, second = corpora.tales()[:2]
    assert corpora.tales_text([first]) == f"{first.title}\n\n{first.text}\n"
    both = corpora.tales_text([second]) + "\n" + corpora.tales_text([first])
    assert corpora.tales_text([second, first]) == both


def test_tales_sentences_are_the_words_of_the_paragraphs():
    found = [word for sentence in corpora.tales_sentences() for word in sentence]
    assert found == [word for tale in corpora.tales() for word in words(tale.text)]
    last = corpora.tales()[-1]
    assert corpora.tales_sentences([last]) == sentences(last.text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("No title\n\n# One\n\nText.\n", "stories.txt must begin with a line '# Title'"),
        ("", "stories.txt must begin"),
        ("# One\n\n# Two\n\nText.\n", "stories.txt: the tale 'One' has no text"),
    ],
)
def test_a_malformed_file_of_tales_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        list(corpora._parse_tales(text, "stories.txt"))


def test_a_package_without_its_data_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(corpora.resources, "files", lambda package: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"the Tales are missing from .*: install the package"):
        corpora._read_tales.__wrapped__()


C_LOCALE = """
import codecs, hashlib, locale, os, sys
from pathlib import Path
from course_lib import corpora, downloads
assert codecs.lookup(locale.getpreferredencoding(False)).name == "ascii", "this is not the plain C locale"
data = Path(os.environ["COURSE_LIB_DATA"], "names.txt").read_bytes()
downloads.REGISTRY["names.txt"] = ("", hashlib.sha256(data).hexdigest())
assert corpora.names() == ["m\\u00e4nner", "\\u65e5"]
sys.stdout.write(hashlib.sha256(corpora.tales_text().encode()).hexdigest())
corpora.resources.files = lambda package: Path(os.environ["COURSE_LIB_DATA"])
corpora._read_tales.cache_clear()
assert corpora.tales_text() == "Zo\\u00eb\\n\\nG\\u00e4nse.\\n"
"""


@pytest.mark.parametrize("locale_name", ["C", "POSIX"])
def test_texts_do_not_depend_on_the_locale(tmp_path, locale_name):
    (tmp_path / "names.txt").write_bytes("männer\n日\n".encode())
    (tmp_path / "data" / "tales").mkdir(parents=True)
    (tmp_path / "data" / "tales" / "one.txt").write_bytes("# Zoë\n\nGänse.\n".encode())
    settings = {"LC_ALL": locale_name, "PYTHONUTF8": "0", "COURSE_LIB_DATA": str(tmp_path)}
    root = Path(corpora.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", C_LOCALE],
        env=os.environ | settings,
        cwd=root,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout.decode() == hashlib.sha256(corpora.tales_text().encode()).hexdigest()
    assert run.stderr == b""


def test_importing_corpora_imports_no_downloader():
    code = "import sys, course_lib.corpora; print(sorted({'pooch', 'requests', 'torch'} & set(sys.modules)))"
    root = Path(corpora.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "[]\n"), run.stderr


# ---- optional downloads: where a file is looked for --------------------------------------------------------

GOOD = "emma\nzoë\n".encode()


@pytest.fixture(autouse=True)
def own_folders(monkeypatch, tmp_path, request):
    """All tests but those of the real data have an empty cache, no data folder, and no way to the network."""
    if request.node.get_closest_marker("skipif"):
        return
    monkeypatch.delenv("COURSE_LIB_DATA", raising=False)
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache" / "course_lib")
    monkeypatch.setattr(downloads, "TIMEOUT", 1.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    nowhere = ("http://127.0.0.1:9/closed", "0" * 64)
    monkeypatch.setattr(downloads, "REGISTRY", dict.fromkeys(downloads.REGISTRY, nowhere))
    downloads.REGISTRY["names.txt"] = ("http://127.0.0.1:9/names.txt", hashlib.sha256(GOOD).hexdigest())


@contextlib.contextmanager
def serving(body, status=200, promised=None, delay=0.0):
    """All tests but those of the real data have an empty cache, no data folder, no way to the network."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            time.sleep(delay)
            with contextlib.suppress(OSError):  # the client may have gone
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if promised is None else promised))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/names.txt"
        downloads.REGISTRY["names.txt"] = (address, downloads.REGISTRY["names.txt"][1])
        yield asked
        server.shutdown()
        thread.join()


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_cache_is_the_users_own():
    import pooch

    source = Path(corpora.__file__).parents[1]
    cache = Path(pooch.os_cache("course_lib"))
    assert ORIGINAL_CACHE_FOLDER() == cache
    assert source not in cache.parents


ORIGINAL_CACHE_FOLDER, ORIGINAL_REGISTRY = downloads.cache_folder, dict(downloads.REGISTRY)


def test_the_registry_names_the_sources():
    assert sorted(ORIGINAL_REGISTRY) == sorted(
        [
            "tiny_shakespeare.txt",
            "names.txt",
            *(
                f"multi30k.{s}.{lang}.gz"
                for s in ("train", "val", "test_2016_flickr")
                for lang in ("de", "en")
            ),
        ]
    )
    root = "https://raw.githubusercontent.com"
    assert ORIGINAL_REGISTRY["tiny_shakespeare.txt"][0] == (
        f"{root}/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
    )
    assert ORIGINAL_REGISTRY["names.txt"][0] == f"{root}/karpathy/makemore/master/names.txt"
    assert ORIGINAL_REGISTRY["multi30k.test_2016_flickr.de.gz"][0] == (
        f"{root}/multi30k/dataset/master/data/task1/raw/test_2016_flickr.de.gz"
    )
    assert all(len(sha256) == 64 for _, sha256 in ORIGINAL_REGISTRY.values())
    assert len(set(ORIGINAL_REGISTRY.values())) == 8


def test_the_data_folder_comes_first_then_the_cache_then_the_network(monkeypatch, tmp_path, capfd):
    data, cache = tmp_path / "data", downloads.cache_folder()
    data.mkdir()
    monkeypatch.chdir(tmp_path)
    with serving(GOOD) as asked:
        assert not corpora.available("names")
        assert asked == []
        assert corpora.names() == ["emma", "zoë"]
        assert (asked, files_under(tmp_path)) == (["/names.txt"], ["cache/course_lib/names.txt"])
        assert corpora.available("names")
        assert corpora.names() == ["emma", "zoë"]
        assert len(asked) == 1  # the second time it came from the cache

        (data / "names.txt").write_bytes(GOOD)
        (cache / "names.txt").write_bytes(b"a bad copy that nobody must look at")
        monkeypatch.setenv("COURSE_LIB_DATA", str(data))
        assert corpora.names() == ["emma", "zoë"]
        assert len(asked) == 1
    assert capfd.readouterr() == ("", "")


def test_a_file_that_the_data_folder_lacks_is_taken_from_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_LIB_DATA", str(tmp_path))
    cache = downloads.cache_folder()
    cache.mkdir(parents=True)
    (cache / "names.txt").write_bytes(GOOD)
    assert corpora.available("names")
    assert corpora.names() == ["emma", "zoë"]


def test_a_data_set_is_available_when_all_its_files_are(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_LIB_DATA", str(tmp_path))
    files = [name for name in downloads.REGISTRY if name.startswith("multi30k")]
    for name in files:
        assert not corpora.available("multi30k")
        (tmp_path / name).touch()
        assert corpora.available(name)
    assert corpora.available("multi30k")
    assert not corpora.available("tiny_shakespeare")
    with pytest.raises(ValueError, match="there is no data set 'tiny': there are tiny_shakespeare, names"):
        corpora.available("tiny")


def test_multi30k_and_shakespeare_are_read_as_utf8(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_LIB_DATA", str(tmp_path))
    german = gzip.compress("Ein Mädchen\u2028\n\nläuft .\n".encode())
    for name, data in {
        "multi30k.test_2016_flickr.de.gz": german,
        "tiny_shakespeare.txt": b"First Citizen:\r\nSpeak.\n",
    }.items():
        (tmp_path / name).write_bytes(data)
        downloads.REGISTRY[name] = ("", hashlib.sha256(data).hexdigest())
    assert corpora.multi30k("test", "de") == ["Ein Mädchen\u2028", "", "läuft ."]
    assert corpora.tiny_shakespeare() == "First Citizen:\r\nSpeak.\n"


@pytest.mark.parametrize(("split", "language"), [("dev", "de"), ("train", "fr"), ("val", "DE")])
def test_an_unknown_split_or_language_is_refused(split, language):
    with pytest.raises(ValueError, match=f"split='{split}', language='{language}': choose train, val"):
        corpora.multi30k(split, language)


# ---- optional downloads: what can go wrong -----------------------------------------------------------------


def test_without_a_network_the_error_says_what_where_and_what_to_do(tmp_path):
    with pytest.raises(corpora.DataUnavailable) as caught:
        corpora.names()
    assert isinstance(caught.value, OSError)
    text = str(caught.value)
    for part in (
        "names.txt",
        "ConnectionError",
        "COURSE_LIB_DATA (not set)",
        str(downloads.cache_folder()),
        "http://127.0.0.1:9/names.txt",
        "download it by hand",
        "set COURSE_LIB_DATA",
    ):
        assert part in text
    assert files_under(tmp_path) == []


def test_the_error_names_the_data_folder_that_was_searched(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_LIB_DATA", str(tmp_path))
    with pytest.raises(corpora.DataUnavailable) as caught:
        corpora.names()
    assert f"COURSE_LIB_DATA ({tmp_path})" in str(caught.value)


def test_an_answer_that_is_no_file_is_reported(tmp_path):
    with serving(b"gone", status=404) as asked, pytest.raises(corpora.DataUnavailable, match="status 404"):
        corpora.names()
    assert len(asked) == 1
    assert files_under(tmp_path) == []


def test_a_silent_server_is_given_up_soon_and_asked_once(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.2)
    start = time.monotonic()
    with serving(GOOD, delay=2.0) as asked:
        with pytest.raises(corpora.DataUnavailable, match="ReadTimeout"):
            corpora.names()
        assert time.monotonic() - start < 1.5
    assert len(asked) == 1
    assert files_under(tmp_path) == []


@pytest.mark.parametrize(
    "body", [GOOD[:-3], GOOD.replace(b"emma", b"anna"), b"<html>log in first</html>", b""]
)
def test_a_wrong_download_is_refused_and_not_kept(tmp_path, body):
    found = hashlib.sha256(body).hexdigest()
    with serving(body), pytest.raises(corpora.DataCorrupted) as caught:
        corpora.names()
    for part in (
        "what came from http://127.0.0.1",
        "names.txt",
        found,
        hashlib.sha256(GOOD).hexdigest(),
        "nothing was kept",
        "set COURSE_LIB_DATA",
    ):
        assert part in str(caught.value)
    assert not isinstance(caught.value, corpora.DataUnavailable)
    assert files_under(tmp_path) == []


def test_a_download_that_breaks_off_is_not_kept(tmp_path):
    with serving(GOOD[:-3], promised=len(GOOD)), pytest.raises(OSError, match=r"names\.txt"):
        corpora.names()
    assert files_under(tmp_path) == []


@pytest.mark.parametrize("place", ["data folder", "cache"])
@pytest.mark.parametrize("body", [GOOD[:-3], GOOD.replace(b"emma", b"anna"), b""])
def test_a_wrong_file_on_disk_is_named_and_left_alone(monkeypatch, tmp_path, place, body):
    folder = tmp_path if place == "data folder" else downloads.cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "names.txt").write_bytes(body)
    if place == "data folder":
        monkeypatch.setenv("COURSE_LIB_DATA", str(tmp_path))
    with serving(GOOD) as asked, pytest.raises(corpora.DataCorrupted) as caught:
        corpora.names()
    for part in (
        f"the file {folder / 'names.txt'}",
        f"expected: {hashlib.sha256(GOOD).hexdigest()}",
        f"found:    {hashlib.sha256(body).hexdigest()}",
        "delete it",
    ):
        assert part in str(caught.value)
    assert asked == []
    assert (folder / "names.txt").read_bytes() == body


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("a file where the cache should be", encoding="utf-8")
    cache = tmp_path / "file" / "course_lib"  # a permission would not stop the administrator, this does
    monkeypatch.setattr(downloads, "cache_folder", lambda: cache)
    with serving(GOOD) as asked, pytest.raises(corpora.DataUnavailable) as caught:
        corpora.names()
    for part in ("names.txt", "the cache cannot be written", f"make {cache} a folder", "set COURSE_LIB_DATA"):
        assert part in str(caught.value)
    assert asked == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write anywhere"
)
def test_a_cache_without_write_permission_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_LIB_DATA", raising=False)
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path)
    tmp_path.chmod(0o500)
    with pytest.raises(corpora.DataUnavailable, match="the cache cannot be written"):
        corpora.names()
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("call", [corpora.names, lambda: corpora.available("names")])
@pytest.mark.parametrize("kind", ["file", "nothing"])
def test_a_data_folder_that_is_no_folder_is_named(monkeypatch, tmp_path, call, kind):
    if kind == "file":
        (tmp_path / "place").touch()
    monkeypatch.setenv("COURSE_LIB_DATA", str(tmp_path / "place"))
    with pytest.raises(NotADirectoryError, match=r"COURSE_LIB_DATA='.*place' is not a folder: set it to one"):
        call()


def test_an_empty_data_folder_variable_is_an_unset_one(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_LIB_DATA", "")
    monkeypatch.chdir(tmp_path)  # which is what an empty path would mean
    (tmp_path / "names.txt").write_bytes(GOOD)
    assert not corpora.available("names")


# ---- the real data, where it is ----------------------------------------------------------------------------

with_data = pytest.mark.skipif(
    not os.environ.get("COURSE_LIB_DATA"), reason="COURSE_LIB_DATA does not name a folder with the data"
)


@with_data
def test_tiny_shakespeare_is_the_text_that_kenlm_was_run_on():
    text = corpora.tiny_shakespeare()
    assert len(text) == 1_115_394
    lines = [[words(line) for line in part.split("\n") if words(line)] for part in corpora.split_text(text)]
    assert [(len(part), sum(map(len, part))) for part in lines] == [(29_242, 226_489), (3_536, 25_810)]


@with_data
def test_names_are_small_letters():
    names = corpora.names()
    assert len(names) == 32_033
    assert set("".join(names)) == set("abcdefghijklmnopqrstuvwxyz")


@with_data
@pytest.mark.parametrize(("split", "size"), [("train", 29_000), ("val", 1_014), ("test", 1_000)])
def test_multi30k_is_aligned_line_by_line(split, size):
    german, english = corpora.multi30k(split, "de"), corpora.multi30k(split, "en")
    assert len(german) == len(english) == size
    assert all(german)
    assert all(english)
    ratio = np.corrcoef([len(line) for line in german], [len(line) for line in english])[0, 1]
    assert ratio > 0.7  # translations of each other are of like length


# ---- training, validation, test ----------------------------------------------------------------------------


def test_split_is_consecutive_without_a_generator():
    assert corpora.split(range(10)) == ([0, 1, 2, 3, 4, 5, 6, 7], [8], [9])
    assert corpora.split(iter("ab"), (0.5, 0.5)) == (["a"], ["b"])
    assert corpora.split([1, 2, 3], (1.0,)) == ([1, 2, 3],)
    assert corpora.split([1, 2], (0.5, 0.0, 0.5)) == ([1], [], [2])


@given(
    st.integers(10, 300), st.integers(0, 5), st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5), (0.7, 0.2, 0.1)])
)
def test_split_loses_nothing_and_keeps_the_shares(n, seed, fractions):
    parts = corpora.split(range(n), fractions, np.random.default_rng(seed))
    assert sorted(item for part in parts for item in part) == list(range(n))
    assert all(abs(len(part) - share * n) <= 1 for part, share in zip(parts, fractions, strict=True))


def test_split_with_a_generator_shuffles_and_can_be_repeated():
    first, again = (corpora.split(range(100), rng=np.random.default_rng(1)) for _ in range(2))
    assert first == again
    assert first != corpora.split(range(100))
    assert first != corpora.split(range(100), rng=np.random.default_rng(2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((range(10), (0.8, 0.1)), ValueError, r"sum to 0\.9"),
        ((range(10), (1.2, -0.2)), ValueError, "none below 0"),
        ((range(10), (0.5, float("nan"))), ValueError, "sum to nan"),
        ((range(10), (1 / 2, 1 / 2), 0), TypeError, "np.random.default_rng"),
        ((range(3),), ValueError, "3 items.*leave a list empty"),
        (([],), ValueError, "0 items"),
        (("a text",), TypeError, "use split_text"),
    ],
)
def test_split_refuses_what_makes_no_sense(arguments, error, message):
    with pytest.raises(error, match=message):
        corpora.split(*arguments)


@given(st.text(min_size=2), st.floats(0.01, 0.99))
def test_split_text_loses_nothing(text, fraction):
    if int(fraction * len(text)) == 0:
        return
    head, tail = corpora.split_text(text, fraction)
    assert head + tail == text
    assert len(head) == int(fraction * len(text))


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("", 0.9), ("a", 0.9), ("abc", 0.1), ("abc", 0.0), ("abc", 1.0), ("abc", 90), ("abc", float("nan"))],
)
def test_split_text_leaves_no_part_empty(text, fraction):
    with pytest.raises(ValueError, match=f"a text of {len(text)} characters, split at {fraction}"):
        corpora.split_text(text, fraction)


# ---- arrays for a model ------------------------------------------------------------------------------------


def test_windows_by_hand():
    inputs, targets = corpora.windows([1, 2, 3, 4, 5, 6, 7, 8], 3)
    assert inputs.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert targets.tolist() == [[2, 3, 4], [5, 6, 7]]
    inputs, targets = corpora.windows(np.arange(5), 3, stride=1)
    assert inputs.tolist() == [[0, 1, 2], [1, 2, 3]]
    assert targets.tolist() == [[1, 2, 3], [2, 3, 4]]


@given(IDS, st.integers(1, 12), st.integers(1, 15))
def test_windows_agree_with_a_loop(ids, length, stride):
    if len(ids) <= length:
        return
    starts = range(0, len(ids) - length, stride)
    inputs, targets = corpora.windows(ids, length, stride)
    assert inputs.tolist() == [ids[s : s + length] for s in starts]
    assert targets.tolist() == [ids[s + 1 : s + 1 + length] for s in starts]


@given(IDS, st.integers(1, 12))
def test_without_a_stride_every_target_comes_once(ids, length):
    if len(ids) <= length:
        return
    inputs, targets = corpora.windows(ids, length)
    used = len(inputs) * length
    assert targets.ravel().tolist() == ids[1 : used + 1]
    assert len(ids) - 1 - used < length


def test_windows_are_copies_of_their_own():
    ids = np.arange(9)
    inputs, targets = corpora.windows(ids, 3, stride=1)
    inputs[:] = -1
    assert ids.tolist() == list(range(9))
    assert targets[0].tolist() == [1, 2, 3]
    assert inputs.dtype == targets.dtype == np.int64


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2, 3], 3), ValueError, "a window of length=3 takes 4 ids, and there are 3"),
        (([], 1), ValueError, "takes 2 ids, and there are 0"),
        (([1, 2, 3], 0), ValueError, "length=0 and stride=0"),
        (([1, 2, 3], 1, 0), ValueError, "length=1 and stride=0"),
        (("abc", 1), TypeError, "encode first"),
        (([0.5, 1.5], 1), TypeError, "not float64"),
        (([[1, 2], [3, 4]], 1), TypeError, r"shape \(2, 2\)"),
    ],
)
def test_windows_refuse_what_makes_no_sense(arguments, error, message):
    with pytest.raises(error, match=message):
        corpora.windows(*arguments)


@given(st.lists(IDS, min_size=1, max_size=8))
def test_a_padded_batch_holds_each_sequence_and_only_padding_besides(sequences):
    ids, mask = corpora.padded_batch(sequences, pad_id=7)
    assert ids.shape == mask.shape == (len(sequences), max(map(len, sequences)))
    assert (ids.dtype, mask.dtype) == (np.int64, np.bool_)
    assert [row[keep].tolist() for row, keep in zip(ids, mask, strict=True)] == sequences
    assert mask.sum() == sum(map(len, sequences))
    assert (ids[~mask] == 7).all()


def test_a_padded_batch_by_hand():
    ids, mask = corpora.padded_batch([[5], [6, 0, 8]])
    assert ids.tolist() == [[5, 0, 0], [6, 0, 8]]
    assert mask.tolist() == [[True, False, False], [True, True, True]]


@pytest.mark.parametrize(
    ("sequences", "error", "message"),
    [
        ([], ValueError, "at least one sequence"),
        ([[1], []], ValueError, "sequence 1 is empty"),
        (["abc"], TypeError, "encode first"),
        ([[1.5]], TypeError, "not float64"),
    ],
)
def test_a_padded_batch_refuses_what_makes_no_sense(sequences, error, message):
    with pytest.raises(error, match=message):
        corpora.padded_batch(sequences)


@given(st.lists(IDS, min_size=1, max_size=20), st.integers(1, 6), st.booleans(), st.booleans())
def test_an_epoch_holds_each_sequence_once(sequences, batch_size, shuffle, bucket):
    rng = np.random.default_rng(0) if shuffle else None
    found = list(corpora.batches(sequences, batch_size, rng, bucket))
    rows = [row[keep].tolist() for ids, mask in found for row, keep in zip(ids, mask, strict=True)]
    assert sorted(rows) == sorted(sequences)
    assert sorted(len(ids) for ids, _ in found)[1:] == [batch_size] * (len(found) - 1)
    if not shuffle and not bucket:
        assert rows == sequences


SEQUENCES = [[i] * (1 + i % 17) for i in range(200)]


def first_ids(found):
    return [int(row[0]) for ids, _ in found for row in ids]


@pytest.mark.parametrize("bucket", [False, True])
def test_each_epoch_has_its_own_order_and_a_seed_repeats_it(bucket):
    rng = np.random.default_rng(3)
    first, second = (first_ids(corpora.batches(SEQUENCES, 8, rng, bucket)) for _ in range(2))
    assert first != second
    assert first == first_ids(corpora.batches(SEQUENCES, 8, np.random.default_rng(3), bucket))


def test_buckets_save_padding_without_an_order_by_length():
    def padding(found):
        return sum(int((~mask).sum()) for _, mask in found)

    rng = np.random.default_rng(0)
    loose, tight = (list(corpora.batches(SEQUENCES, 8, rng, bucket)) for bucket in (False, True))
    assert padding(tight) < padding(loose) / 5
    longest = [mask.shape[1] for _, mask in tight]
    assert longest != sorted(longest)
    unshuffled = [mask.shape[1] for _, mask in corpora.batches(SEQUENCES, 8, bucket=True)]
    assert unshuffled == sorted(unshuffled)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1]], 0), ValueError, "batch_size=0"),
        (([], 4), ValueError, "0 sequences"),
        (([[1]], 4, 0), TypeError, "np.random.default_rng"),
    ],
)
def test_batches_refuse_what_makes_no_sense_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        corpora.batches(*arguments)
