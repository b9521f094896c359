"""Whatever a browser makes of a secret, it is not in what is kept."""

from __future__ import annotations

import html
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registre.redaction import clean_trace, redact

SECRET = "pâss <w>&\"ord'\\+~*1"
PLENTY = 10_000_000


def trace_of(tmp_path: Path, **members: bytes) -> Path:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "."), content)
    return path


def everything_in(path: Path) -> bytes:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as opened:
        return b"\n".join(name.encode() + b"\n" + opened.read(name) for name in opened.namelist())


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote_plus(SECRET, safe="*-._").replace("~", "%7E"),
        quote_plus(SECRET, encoding="cp1252"),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(SECRET))[3:-3],
    ],
)
def test_every_way_of_writing_a_secret_is_masked(written: str) -> None:
    assert redact(f"before {written} after", (SECRET,)) in ("before ••• after", json.dumps("before ••• after")[1:-1])


texts = st.characters(exclude_characters="•\0", codec="utf-8")


@given(st.text(texts, min_size=4, max_size=20), st.text(texts, max_size=40), st.text(texts, max_size=40))
def test_a_secret_is_in_no_text_afterwards(secret: str, before: str, after: str) -> None:
    assert secret not in redact(before + secret + after, (secret,)).replace("•••", "\0")


def test_no_secrets_and_empty_secrets_change_nothing() -> None:
    assert redact("the page", ()) == "the page"
    assert redact("the page", ("",)) == "the page"


def test_a_trace_keeps_its_story_and_loses_its_secrets(tmp_path: Path) -> None:
    typed = {"type": "before", "method": "fill", "params": {"selector": "#pw", "value": SECRET}}
    sent = {
        "type": "resource-snapshot",
        "snapshot": {
            "request": {
                "url": f"https://site/?p={quote(SECRET, safe='')}",
                "cookies": [{"name": "ASPSESSION", "value": "top-secret-cookie"}],
                "headers": [
                    {"name": "Cookie", "value": "ASPSESSION=top-secret-cookie"},
                    {"name": "Accept", "value": "*/*"},
                ],
            },
            "response": {"headers": [{"name": "set-cookie", "value": "ASPSESSION=top-secret-cookie"}]},
        },
    }
    started = {"type": "context-options", "options": {"storageState": {"cookies": [{"value": "top-secret-cookie"}]}}}
    source = trace_of(
        tmp_path,
        trace__trace="\n".join(map(json.dumps, (started, typed))).encode(),
        trace__network=json.dumps(sent).encode(),
        body__txt=b"txtMotPasse=" + quote_plus(SECRET, encoding="cp1252").encode() + b"&a=1",
        page__html=f"<p>{SECRET}</p>".encode("cp1252"),
        picture__png=b"\x89PNG",
    )
    target = tmp_path / "clean.zip"
    assert clean_trace(source, target, (SECRET,), PLENTY)
    kept = everything_in(target)
    assert b"top-secret-cookie" not in kept
    assert b"ss <w>" not in kept
    assert b"ss+" not in kept
    assert b"ss%20" not in kept
    assert b'"method": "fill"' in kept
    assert b"*/*" in kept
    assert b"a=1" in kept
    assert b"\x89PNG" in kept


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04" + b"\0" * 100])
def test_what_is_no_trace_is_not_kept(tmp_path: Path, content: bytes) -> None:
    source, target = tmp_path / "trace.zip", tmp_path / "clean.zip"
    source.write_bytes(content)
    assert not clean_trace(source, target, (SECRET,), PLENTY)
    assert not target.exists()
    assert not clean_trace(tmp_path / "none.zip", target, (SECRET,), PLENTY)


def test_a_trace_damaged_half_way_is_not_kept(tmp_path: Path) -> None:
    source = trace_of(tmp_path, one__trace=b"{}", two__txt=b"y" * 1000)
    damaged = bytearray(source.read_bytes())
    at = damaged.index(b"yyyy")
    damaged[at : at + 4] = b"zzzz"
    source.write_bytes(damaged)
    target = tmp_path / "clean.zip"
    assert not clean_trace(source, target, (SECRET,), PLENTY)
    assert not target.exists()


def test_a_trace_too_large_is_not_kept(tmp_path: Path) -> None:
    source, target = trace_of(tmp_path, body__txt=b"x" * 5000), tmp_path / "clean.zip"
    assert not clean_trace(source, target, (SECRET,), 4999)
    assert not target.exists()
