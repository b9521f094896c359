"""Evidence is kept by error, a few examples of each, and never outgrows what it is allowed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registre.errors import BrowserFailed, DataError, ErrorKind, LayoutChanged, SiteUnavailable
from registre.evidence import examples, prune, signature


def example(root: Path, of: str, name: str, *, at: int, size: int = 100) -> Path:
    folder = root / of / name if of else root
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.html"
    file.write_bytes(b"x" * size)
    os.utime(file, ns=(at, at))
    if of:
        os.utime(folder, ns=(at, at))
    return folder if of else file


def weight(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (BrowserFailed("The page 12 hung after 30.5 s."), BrowserFailed("The page 7 hung after 31.2 s.")),
        (
            LayoutChanged("The form of index has no #selCadst.", source="index", landmark="#selCadst"),
            LayoutChanged("No #selCadst after 3 tries.", source="index", landmark="#selCadst"),
        ),
        (
            DataError(ErrorKind.UNKNOWN_SENTENCE, "Le lot 2 784 195 est 'suspendu'."),
            DataError(ErrorKind.UNKNOWN_SENTENCE, "Le lot 3 000 101 est 'gelé'."),
        ),
        (ValueError("at 0x7f00 in /tmp/a1"), ValueError("at 0x7f99 in /tmp/b2")),
    ],
)
def test_the_same_error_has_the_same_signature_whatever_it_happened_to(one: Exception, another: Exception) -> None:
    assert signature(one) == signature(another)


def test_different_errors_have_different_signatures() -> None:
    errors = [
        BrowserFailed("The page hung."),
        SiteUnavailable("The page hung."),
        BrowserFailed("The browser crashed."),
        LayoutChanged("gone", source="index", landmark="#selCadst"),
        LayoutChanged("gone", source="acte", landmark="#selCadst"),
        LayoutChanged("gone", source="index", landmark="#selCircnFoncr"),
        LayoutChanged("gone"),
        DataError(ErrorKind.NOT_FOUND, "gone"),
        DataError(ErrorKind.PAPER_ONLY, "gone"),
        ValueError("gone"),
        KeyError("gone"),
    ]
    assert len({signature(error) for error in errors}) == len(errors)


@given(st.text(max_size=300))
def test_a_signature_is_one_short_name_of_a_folder(sentence: str) -> None:
    name = signature(BrowserFailed(sentence))
    assert name.isascii()
    assert len(name) < 100
    assert Path(name).name == name
    assert not name.startswith(".")


def test_a_signature_says_what_it_is_about() -> None:
    error = LayoutChanged("gone", source="index", landmark="#selCadst")
    assert signature(error).startswith("layout_changed-index-selcadst-")


def test_the_newest_examples_of_each_error_stay(tmp_path: Path) -> None:
    for n in range(8):
        example(tmp_path, "one", f"e{n}", at=n)
    example(tmp_path, "other", "old", at=0)
    removed = prune(tmp_path, keep=3)
    assert {path.name for path in removed} == {"e0", "e1", "e2", "e3", "e4"}
    assert [e.path.name for e in examples(tmp_path)] == ["e7", "e6", "e5", "old"]


def test_the_oldest_go_until_the_rest_fits(tmp_path: Path) -> None:
    for n in range(6):
        example(tmp_path, f"error{n}", "e", at=n, size=100)
    prune(tmp_path, max_bytes=250)
    assert [e.signature for e in examples(tmp_path)] == ["error5", "error4"]
    assert {path.name for path in tmp_path.iterdir()} == {"error5", "error4"}


def test_loose_files_count_and_go_by_age(tmp_path: Path) -> None:
    example(tmp_path, "", "loose-old", at=1)
    example(tmp_path, "error", "e", at=2)
    example(tmp_path, "", "loose-new", at=3)
    prune(tmp_path, max_bytes=200, keep=1)
    assert [e.path.name for e in examples(tmp_path)] == ["loose-new.html", "e"]


def test_an_example_too_large_by_itself_loses_its_largest_files(tmp_path: Path) -> None:
    folder = example(tmp_path, "error", "e", at=1, size=100)
    (folder / "e.trace.zip").write_bytes(b"x" * 10_000)
    prune(tmp_path, max_bytes=500)
    assert [path.name for path in folder.iterdir()] == ["e.html"]


def test_nothing_to_prune_is_no_error(tmp_path: Path) -> None:
    assert prune(tmp_path / "none") == []
    assert prune(tmp_path) == []


def test_what_others_remove_at_the_same_time_is_no_error(tmp_path: Path) -> None:
    for n in range(200):
        example(tmp_path, f"error{n % 7}", f"e{n}", at=n)
    threads = [threading.Thread(target=prune, args=(tmp_path,), kwargs={"max_bytes": 900, "keep": 4}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert weight(tmp_path) <= 900
    assert [e.path.name for e in examples(tmp_path)] == [f"e{n}" for n in range(199, 190, -1)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(0, 2000)), max_size=12),
    st.integers(0, 3000),
    st.integers(1, 4),
)
def test_a_burst_of_errors_never_outgrows_what_is_allowed(
    tmp_path_factory: pytest.TempPathFactory, burst: list[tuple[str, int]], allowed: int, keep: int
) -> None:
    root = tmp_path_factory.mktemp("evidence")
    for n, (of, size) in enumerate(burst):
        newest = example(root, of, f"e{n}", at=n, size=size)
        prune(root, max_bytes=allowed, keep=keep)
        assert weight(root) <= allowed
        assert newest.exists() or size > allowed or size == 0
        assert all(sum(e.signature == name for e in examples(root)) <= keep for name in "abc")
