"""A wrong setting is one sentence naming its variable; a secret is shown by nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from registre.errors import ConfigurationError
from registre.settings import REAL_SITE, Settings, Where, load_settings

VARIABLES = [str(field.validation_alias) for field in Settings.model_fields.values()]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_settings_everything_has_a_default(tmp_path: Path) -> None:
    settings = load_settings()
    assert (settings.base_url, settings.database_url, settings.max_sessions) == (REAL_SITE, None, 10)
    assert settings.visibility == timedelta(minutes=1)
    assert settings.buckets_folder == settings.home / "buckets"
    assert settings.evidence_bytes == 200_000_000
    assert list(tmp_path.iterdir()) == [], "reading settings makes nothing"


def test_what_the_system_calls_home_and_host_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        for written in {name, name.upper()} - set(VARIABLES):
            monkeypatch.setenv(written, "/somewhere/else")
    settings = load_settings()
    assert "/somewhere/else" not in {str(value) for value in settings.model_dump().values()}


def test_a_flag_outweighs_the_environment_and_the_environment_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("REGISTRE_MAX_SESSIONS=1\nUNKNOWN_THING=x\n")
    assert load_settings().max_sessions == 1
    monkeypatch.setenv("REGISTRE_MAX_SESSIONS", "2")
    assert load_settings().max_sessions == 2
    assert load_settings(max_sessions=3).max_sessions == 3
    assert load_settings(max_sessions=None).max_sessions == 2, "a flag that was not given is none"
    monkeypatch.setenv("REGISTRE_MAX_SESSIONS", "")
    assert load_settings().max_sessions == 1, "an empty variable is none"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRE_MAX_SESSIONS", "free"),
        ("REGISTRE_MAX_SESSIONS", "-1"),
        ("REGISTRE_MAX_SESSIONS", "0"),
        ("REGISTRE_EVIDENCE_MB", "0"),
        ("REGISTRE_MAX_SESSIONS", "201"),
        ("REGISTRE_VISIBILITY_SECONDS", "0.5"),
        ("REGISTRE_VISIBILITY_SECONDS", "nan"),
        ("REGISTRE_DRAIN_SECONDS", "inf"),
        ("REGISTRY_BASE_URL", "ftp://example.org"),
        ("SUPABASE_URL", "project.supabase.co"),
        ("SUPABASE_URL", "https://me:secret@project.supabase.co"),
        ("REGISTRE_DATABASE", "elsewhere"),
        ("REGISTRE_HOST", "a/b"),
        ("REGISTRE_HOST", "x" * 61),
        ("REGISTRE_LOG", "loud"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"{name} is wrong: ")
    assert "\n" not in str(caught.value)


def test_where_the_database_is_follows_from_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().where is Where.EMBEDDED
    monkeypatch.setenv("SUPABASE_URL", "https://project.supabase.co/")
    monkeypatch.setenv("SUPABASE_SERVICE_KEY", "sb_secret_x")
    assert load_settings().where is Where.REST
    assert load_settings().supabase == ("https://project.supabase.co", "sb_secret_x")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db/registre")
    assert load_settings().where is Where.DIRECT
    monkeypatch.setenv("REGISTRE_DATABASE", "rest")
    assert load_settings().where is Where.REST
    alone = load_settings().alone()
    assert (alone.where, alone.supabase, alone.database_url) == (Where.EMBEDDED, None, None)


def test_the_keys_other_names_count_and_the_first_of_them_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:54321")
    for name in ("SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"):
        monkeypatch.setenv(name, f"key-of-{name}")
        assert load_settings().supabase == ("http://127.0.0.1:54321", f"key-of-{name}")


@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [
        ("SUPABASE_URL", "https://project.supabase.co", "SUPABASE_SECRET_KEY"),
        ("SUPABASE_SECRET_KEY", "sb_secret_x", "SUPABASE_URL"),
    ],
)
def test_half_a_project_is_a_sentence_that_names_the_other_half(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, missing: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{missing} is not") as caught:
        assert load_settings().where
    assert value not in str(caught.value)


def test_a_key_of_supabase_is_shown_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://project.supabase.co")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_sesame")
    settings = load_settings()
    assert "sesame" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret sesame\n")
    with pytest.raises(ConfigurationError, match="SUPABASE_SECRET_KEY is wrong") as caught:
        load_settings()
    assert "sesame" not in str(caught.value)


def test_the_databases_password_is_shown_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:sesame@db/registre")
    settings = load_settings()
    assert "sesame" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    monkeypatch.setenv("REGISTRE_MAX_SESSIONS", "free")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "sesame" not in str(caught.value)


def test_a_host_keeps_the_name_it_was_once_given(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    name = settings.host_name()
    assert "/" not in name
    assert [settings.host_name(), load_settings(home=tmp_path / "home").host_name()] == [name, name]
    assert load_settings(home=tmp_path / "other").host_name() != name
    assert load_settings(home=tmp_path / "home", host="my-host").host_name() == "my-host"
    assert [f.name for f in (tmp_path / "home").iterdir()] == ["host"]


def test_commands_that_start_together_agree_on_the_name(tmp_path: Path) -> None:
    together = Barrier(4)

    def name() -> str:
        settings = load_settings(home=tmp_path / "home")
        together.wait()
        return settings.host_name()

    with ThreadPoolExecutor(4) as pool:
        assert len({done.result() for done in [pool.submit(name) for _ in range(4)]}) == 1


@pytest.mark.parametrize("content", ["", "\n", "a/b\n", "x" * 61])
def test_a_name_that_is_none_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "host").write_text(content)
    with pytest.raises(ConfigurationError, match="remove it or set REGISTRE_HOST"):
        load_settings(home=tmp_path).host_name()


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        load_settings(home=tmp_path / "file" / "home").host_name()


def test_a_secret_key_that_is_none_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRE_SECRET_KEY", "abc")
    with pytest.raises(ConfigurationError) as told:
        load_settings()
    assert str(told.value) == "REGISTRE_SECRET_KEY is wrong: key 1 is none that `registre accounts key` made."


@pytest.mark.parametrize(
    "address",
    ["redis://localhost", "rediss://:s3cret@cache.example:6380/1", "amqp://me:s3cret@broker/", "amqps://broker"],
)
def test_the_address_of_a_broker_is_shown_by_nothing(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("REGISTRE_BROKER_URL", address)
    settings = load_settings()
    assert settings.broker_url is not None
    assert settings.broker_url.get_secret_value() == address
    assert "s3cret" not in repr(settings)
    assert settings.alone().broker_url is None


@pytest.mark.parametrize(
    "address",
    ["localhost:6379", "http://me:s3cret@host", "redis://", "redis://:s3cret@", "redis://host:s3cret", "amqp:///x"],
)
def test_an_address_of_no_broker_is_one_sentence_without_the_address(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("REGISTRE_BROKER_URL", address)
    with pytest.raises(
        ConfigurationError, match="REGISTRE_BROKER_URL is wrong: an address such as redis://"
    ) as refused:
        load_settings()
    assert "s3cret" not in str(refused.value)


def test_the_hosts_name_may_be_given_as_the_predecessor_did(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKER_ID", "worker-1")
    assert Settings(_env_file=None, home=tmp_path).host_name() == "worker-1"
    assert Settings(_env_file=None, home=tmp_path, host="host-a").host_name() == "host-a"
    monkeypatch.setenv("WORKER_ID", "worker/1")
    with pytest.raises(ConfigurationError, match="WORKER_ID is wrong"):
        load_settings(home=tmp_path)
