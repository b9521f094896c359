"""Settings: flag, then environment, then `.env`, then the default written here.

Invariant: a wrong value is one sentence naming the variable; a secret is never shown.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from registre.errors import ConfigurationError
from registre.vault import Vault

HOST_NAME = r"[A-Za-z0-9._-]{1,60}"
MAX_SECONDS = 10_000_000
"""Longer than any lease or drain; and not infinity, which no clock can add."""

BROKERS = ("redis", "rediss", "amqp", "amqps")
"""What REGISTRE_BROKER_URL may begin with; the longer ones are over TLS."""

REAL_SITE = "https://www.registrefoncier.gouv.qc.ca/Sirf/"


def default_home() -> Path:
    """Where data lives unless REGISTRE_HOME says otherwise: outside /root, which the database's own user cannot enter."""
    return Path("/var/lib/registre") if os.geteuid() == 0 else user_data_path("registre")


class Where(StrEnum):
    """Where the database is, and how it is reached."""

    EMBEDDED = "embedded"
    DIRECT = "direct"
    REST = "rest"


class Settings(BaseSettings):
    """What may be set, by the environment variable named in `validation_alias`."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", case_sensitive=True
    )

    def __init__(self, **values: Any) -> None:
        # Our own callers name a setting by its field. The environment may not: HOME, HOST and PROFILE mean other things there.
        fields = type(self).model_fields
        super().__init__(
            **{str(fields[name].validation_alias) if name in fields else name: value for name, value in values.items()}
        )

    home: Path = Field(default_factory=default_home, validation_alias="REGISTRE_HOME")
    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    database: Where | None = Field(None, validation_alias="REGISTRE_DATABASE")
    supabase_url: str | None = Field(None, validation_alias="SUPABASE_URL", pattern=r"^https?://[^/\s@]+/?$")
    supabase_secret_key: SecretStr | None = Field(None, validation_alias="SUPABASE_SECRET_KEY")
    supabase_service_role_key: SecretStr | None = Field(None, validation_alias="SUPABASE_SERVICE_ROLE_KEY")
    supabase_service_key: SecretStr | None = Field(None, validation_alias="SUPABASE_SERVICE_KEY")
    secret_key: SecretStr | None = Field(None, validation_alias="REGISTRE_SECRET_KEY")
    broker_url: SecretStr | None = Field(None, validation_alias="REGISTRE_BROKER_URL")
    pg_bin: Path | None = Field(None, validation_alias="PG_BIN")
    base_url: str = Field(REAL_SITE, validation_alias="REGISTRY_BASE_URL", pattern=r"^https?://")
    chromium: str | None = Field(None, validation_alias="REGISTRE_CHROMIUM")
    profile: Path | None = Field(None, validation_alias="REGISTRE_SITE_PROFILE")
    host: str | None = Field(None, validation_alias="REGISTRE_HOST", pattern=f"^{HOST_NAME}$")
    worker_id: str | None = Field(None, validation_alias="WORKER_ID", pattern=f"^{HOST_NAME}$")
    buckets: Path | None = Field(None, validation_alias="REGISTRE_BUCKETS")
    max_sessions: int = Field(10, validation_alias="REGISTRE_MAX_SESSIONS", ge=1, le=200)
    visibility_seconds: float = Field(60, validation_alias="REGISTRE_VISIBILITY_SECONDS", ge=1, le=MAX_SECONDS)
    host_gone_seconds: float = Field(600, validation_alias="REGISTRE_HOST_GONE_SECONDS", ge=1, le=MAX_SECONDS)
    legacy_seconds: float = Field(1800, validation_alias="REGISTRE_LEGACY_SECONDS", ge=1, le=MAX_SECONDS)
    api_host: str = Field("127.0.0.1", validation_alias="REGISTRE_API_HOST", pattern=r"^[A-Za-z0-9.:_-]{1,255}$")
    api_port: int = Field(3000, validation_alias="REGISTRE_API_PORT", ge=0, le=65535)
    api_url: str | None = Field(None, validation_alias="REGISTRE_API_URL")
    api_key: SecretStr | None = Field(None, validation_alias="REGISTRE_API_KEY")
    api_open: bool = Field(False, validation_alias="REGISTRE_API_OPEN")
    webhooks_private: bool = Field(False, validation_alias="REGISTRE_WEBHOOKS_PRIVATE")
    drain_seconds: float = Field(240, validation_alias="REGISTRE_DRAIN_SECONDS", ge=1, le=MAX_SECONDS)
    evidence_mb: int = Field(200, validation_alias="REGISTRE_EVIDENCE_MB", ge=1, le=1_000_000)
    log_level: str = Field("INFO", validation_alias="REGISTRE_LOG", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("supabase_secret_key", "supabase_service_role_key", "supabase_service_key")
    @classmethod
    def _one_word(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise ValueError("A key is one word of ASCII")
        return key

    @field_validator("secret_key")
    @classmethod
    def _fernet(cls, keys: SecretStr | None) -> SecretStr | None:
        _vault_of(keys)
        return keys

    @field_validator("broker_url")
    @classmethod
    def _broker(cls, address: SecretStr | None) -> SecretStr | None:
        # Never repeated in what is said of it: it may hold a password.
        if address is not None:
            try:
                parts = urlsplit(address.get_secret_value())
                known = parts.scheme in BROKERS and bool(parts.hostname) and parts.port != 0
            except ValueError:
                known = False
            if not known:
                raise ValueError(
                    f"An address such as redis://host:6379/0 or amqp://user:password@host is expected ({', '.join(BROKERS)})"
                )
        return address

    @property
    def vault(self) -> Vault:
        """Seals with the first of the keys, opens with all."""
        return _vault_of(self.secret_key)

    @property
    def supabase(self) -> tuple[str, str] | None:
        """Address and secret key of the Supabase project, if there is one. ConfigurationError when half of it is set."""
        keys = (self.supabase_secret_key, self.supabase_service_role_key, self.supabase_service_key)
        key = next((key.get_secret_value() for key in keys if key is not None), None)
        if self.supabase_url is None:
            if key is None:
                return None
            raise ConfigurationError("A key of a Supabase project is set, and SUPABASE_URL is not.")
        if key is None:
            raise ConfigurationError("SUPABASE_URL is set, and SUPABASE_SECRET_KEY is not.")
        return self.supabase_url.rstrip("/"), key

    @property
    def where(self) -> Where:
        """Where the database is: as REGISTRE_DATABASE says, else at DATABASE_URL, else in the Supabase project, else embedded."""
        if self.database is not None:
            return self.database
        if self.database_url is not None:
            return Where.DIRECT
        return Where.REST if self.supabase is not None else Where.EMBEDDED

    def alone(self) -> Settings:
        """The same without the database, the buckets and the broker of elsewhere: all in the home folder and this process."""
        elsewhere = ("database_url", "broker_url", "buckets", "supabase_url", "supabase_secret_key",
                     "supabase_service_role_key", "supabase_service_key")  # fmt: skip
        return self.model_copy(update={**dict.fromkeys(elsewhere), "database": Where.EMBEDDED})

    @property
    def visibility(self) -> timedelta:
        """How long a lease holds without renewal."""
        return timedelta(seconds=self.visibility_seconds)

    @property
    def buckets_folder(self) -> Path:
        return self.buckets or self.home / "buckets"

    @property
    def spool_folder(self) -> Path:
        return self.home / "spool"

    @property
    def evidence_bytes(self) -> int:
        """What all evidence of this host may weigh."""
        return self.evidence_mb * 1_000_000

    @property
    def recorder_folder(self) -> Path:
        return self.home / "recorder"

    @property
    def evidence_folder(self) -> Path:
        return self.home / "evidence"

    def host_name(self) -> str:
        """The host's stable name: the setting, by either of its names, else one made once and kept in the home folder."""
        if name := self.host or self.worker_id:
            return name
        kept = self.home / "host"
        try:
            if not kept.exists():
                name = re.sub(r"[^A-Za-z0-9._-]", "-", platform.node())[:40] or "host"
                self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
                whole = self.home / f"host.{secrets.token_hex(4)}"
                whole.write_text(f"{name}-{secrets.token_hex(2)}\n")
                with suppress(FileExistsError):  # another command was first, and its name counts
                    kept.hardlink_to(whole)
                whole.unlink()
            name = kept.read_text().strip()
        except OSError as error:
            raise ConfigurationError(f"REGISTRE_HOME ({self.home}) cannot be written: {error.strerror}.") from None
        if not re.fullmatch(HOST_NAME, name):
            raise ConfigurationError(f"{kept} does not hold the name of a host: remove it or set REGISTRE_HOST.")
        return name


def _vault_of(keys: SecretStr | None) -> Vault:
    return Vault(re.split(r"[\s,]+", keys.get_secret_value().strip()) if keys is not None else ())


def load_settings(**flags: Any) -> Settings:
    """Settings with `flags` (those not None) above the environment. ConfigurationError names the wrong variable."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        said = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigurationError(f"{name} is wrong: {said[0].lower()}{said[1:].rstrip('.')}.") from None
