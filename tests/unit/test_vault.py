"""What is sealed opens with its key alone, and nothing shows what it was."""

from __future__ import annotations

import pytest

from registre.vault import Unreadable, Vault, is_sealed, key_of, make_key

ONE, TWO = make_key(), make_key()


def test_what_was_sealed_is_opened() -> None:
    sealed = Vault([ONE]).seal("sésame :½")
    assert is_sealed(sealed)
    assert "sésame" not in sealed
    assert Vault([ONE]).open(sealed) == "sésame :½"
    assert Vault([TWO, ONE]).open(sealed) == "sésame :½"
    assert Vault([ONE]).seal("sésame :½") != sealed


def test_the_first_key_seals_and_is_named_in_what_it_sealed() -> None:
    vault = Vault([TWO, ONE])
    assert key_of(vault.seal("x")) == vault.key_ids[0] == Vault([TWO]).key_ids[0]
    assert ONE not in str(vault.key_ids)


@pytest.mark.parametrize("keys", [[], [TWO]])
def test_without_its_key_it_is_unreadable_in_a_sentence(keys: list[str]) -> None:
    sealed = Vault([ONE]).seal("sésame")
    with pytest.raises(Unreadable, match="not in REGISTRE_SECRET_KEY"):
        Vault(keys).open(sealed)


@pytest.mark.parametrize("end", ["", "x", "gAAAAA"])
def test_damage_is_told(end: str) -> None:
    sealed = Vault([ONE]).seal("sésame")
    with pytest.raises(Unreadable, match="damaged"):
        Vault([ONE]).open(sealed[:-20] + end)


@pytest.mark.parametrize("text", ["", "sealed", "sealed:", "sealed:x", "plain"])
def test_what_is_no_sealed_text_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        Vault([ONE]).open(text)


def test_what_is_no_key_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match=r"^Key 2 is none") as caught:
        Vault([ONE, "sesame"])
    assert "sesame" not in f"{caught.value}"


def test_a_vault_shows_nothing() -> None:
    assert ONE not in repr(Vault([ONE]))
