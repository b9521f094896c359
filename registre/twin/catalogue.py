"""The places of the registry: circonscriptions, their cadastres and the cadastres' désignations secondaires.

Invariant: a code names one cadastre of one circonscription, except `000001`, which every circonscription offers first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
RENOVATED_CADASTRE = "000001"
NO_CADASTRE = "000000"


@dataclass(frozen=True, slots=True)
class Cadastre:
    """One option of `selCadst`; `designations` are those of `selDesgnSecnd`, often none."""

    code: str
    name: str
    designations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circonscription:
    """One option of `selCircnFoncr`; `cadastres` begin with the Cadastre du Québec."""

    code: str
    name: str
    cadastres: tuple[Cadastre, ...]

    def cadastre(self, code: str) -> Cadastre | None:
        return next((c for c in self.cadastres if c.code == code), None)


CADASTRE_DU_QUEBEC = Cadastre(RENOVATED_CADASTRE, "Cadastre du Québec")


class Catalogue:
    """All the places, read once; immutable."""

    def __init__(self, circonscriptions: tuple[Circonscription, ...]) -> None:
        self.circonscriptions = circonscriptions
        self._by_code: Mapping[str, Circonscription] = {c.code: c for c in circonscriptions}
        self._by_name: Mapping[str, Circonscription] = {c.name: c for c in circonscriptions}

    def circonscription(self, code: str) -> Circonscription | None:
        return self._by_code.get(code)

    def named(self, name: str) -> Circonscription:
        """The circonscription of exactly this name; KeyError when there is none."""
        return self._by_name[name]

    def cadastres(self, circonscription_code: str) -> tuple[Cadastre, ...]:
        """What `selCadst` offers; without a circonscription, the Cadastre du Québec alone."""
        chosen = self._by_code.get(circonscription_code)
        return chosen.cadastres if chosen else (CADASTRE_DU_QUEBEC,)

    def cadastre(self, circonscription_code: str, code: str) -> Cadastre | None:
        return next((c for c in self.cadastres(circonscription_code) if c.code == code), None)


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of `data/*.toml`."""
    codes = _read("circonscriptions.toml")
    cadastres = _read("cadastres.toml")
    designations = _read("designations.toml")
    return Catalogue(
        tuple(
            Circonscription(
                code,
                name,
                (
                    CADASTRE_DU_QUEBEC,
                    *(Cadastre(c, label, tuple(designations.get(c, ()))) for c, label in cadastres[name].items()),
                ),
            )
            for name, code in codes.items()
        )
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))
