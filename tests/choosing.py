"""Lists of a form in short, and what is chosen of them."""

from __future__ import annotations

from registre.matching import Field, Match, Option, match

CIRCONSCRIPTIONS = (
    "Bonaventure 1",
    "Bonaventure 2",
    "Charlevoix 1",
    "Charlevoix 2",
    "Chicoutimi",
    "Deux-Montagnes",
    "Gaspé",
    "Hull",
    "Îles-de-la-Madeleine",
    "L'Assomption",
    "L'Islet",
    "La Prairie",
    "La Tuque",
    "Lac-Saint-Jean-Est",
    "Lac-Saint-Jean-Ouest",
    "Laval",
    "Matapédia",
    "Montréal",
    "Nicolet (Nicolet 2)",
    "Québec",
    "Rouyn-Noranda",
    "Saint-Hyacinthe",
    "Saint-Jean",
    "Sainte-Anne-des-Monts",
    "Sept-Îles",
    "Témiscamingue",
    "Trois-Rivières",
    "Vaudreuil",
)


def options(*labels: str) -> list[Option]:
    return [Option("", "\u00a0"), *(Option(f"{n:06d}", label) for n, label in enumerate(labels, 10_000))]


def cadastres(*labels: str) -> list[Option]:
    return [Option("000000", ""), Option("000001", "Cadastre du Québec"), *options(*labels)[1:]]


def label_of(found: Match) -> str | None:
    return found.choice.label if found.choice else None


def circonscription(text: str) -> str | None:
    return label_of(match(text, options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION))


def cadastre(text: str, *labels: str) -> str | None:
    return label_of(match(text, cadastres(*labels), Field.CADASTRE))


def designation(text: str, *labels: str) -> str | None:
    return label_of(match(text, options(*labels), Field.DESIGNATION))
