"""No secret lies among the files that are kept under version control."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from registre.access import make_key
from registre.vault import make_key as make_sealing_key
from registre.webhooks import make_secret

ROOT = Path(__file__).parents[2]
SHAPES = {
    "a key of the API": r"registre_[0-9a-f]{8}_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
    "a secret key of Supabase": r"sb_secret_[A-Za-z0-9_-]{20,}",
    "a JSON web token": r"eyJ[A-Za-z0-9_-]{6,}\.eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{20,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "a key of AWS": r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])",
    "a token of GitHub": r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}",
    "a webhook's secret": r"whsec_[A-Za-z0-9+/]{40,}={0,2}",
    "a key that seals": r"(?<![A-Za-z0-9_/+=-])[A-Za-z0-9_-]{43}=(?![A-Za-z0-9_=-])",
    "a password in an address": r"://[^\s:/@{}<>$\"'`*]+:(?!\*\*\*)[^\s:/@{}<>$\"'`*]{12,}@[a-z0-9.-]+\.(?:com|co|net|org|ca|io)\b",
}
_MADE_UP = re.compile(r"(.)\1{15}|made-up")
"""A key of a test is one letter again and again, or says what it is; no key that was drawn does."""


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def secrets_in(text: str) -> list[str]:
    """What each thing that looks like a secret would be; not the thing itself, which would then stand in a log."""
    return [
        kind for kind, shape in SHAPES.items() for found in re.finditer(shape, text) if not _MADE_UP.search(found[0])
    ]


@pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="not a clone: there is no list of the files under version control"
)
def test_no_file_under_version_control_holds_a_secret() -> None:
    files = [path for path in tracked() if path.is_file()]
    assert len(files) > 300, "the list of files was not read"
    found = {
        str(path.relative_to(ROOT)): kinds
        for path in files
        if (kinds := secrets_in(path.read_bytes().decode("utf-8", "replace")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a key of the API", make_key().text),
        ("a webhook's secret", make_secret()),
        ("a key that seals", make_sealing_key()),
        ("a secret key of Supabase", "sb_secret_" + "Ab3_" * 6),
        ("a private key", "-----BEGIN" + " RSA PRIVATE KEY-----"),
        ("a key of AWS", "AKIA" + "ABCD1234" * 2),
        ("a token of GitHub", "ghp_" + "aB3dE6" * 6),
        ("a JSON web token", ".".join(["eyJ" + "hbGciOiJI", "eyJ" + "pc3MiOiJz", "aB3dE6gH9" * 4])),
        ("a password in an address", "postgresql://postgres:" + "correct-horse-battery" + "@db.example.com/x"),
    ],
    ids=lambda value: value if value.startswith("a ") else "",  # made anew each time
)
def test_every_shape_is_seen(kind: str, text: str) -> None:
    assert kind in secrets_in(f"KEY='{text}'\n")
