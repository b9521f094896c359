"""The site's sentences, each written once.

Invariant: those a program must recognise hold the attested fragments word for word, with a straight apostrophe in them.
"""

from __future__ import annotations

from registre.twin.documents import Refusal, grouped

NO_ACTE = Refusal("Le document demandé est inexistant. Veuillez vérifier le numéro d’inscription saisi.", boxed=True)
NO_INDEX = Refusal("La fiche immobilière demandée est inexistante.")
NO_MATCH = Refusal("Aucune information ne correspond aux critères de sélection.", boxed=True)
WRONG_CIRCONSCRIPTION = Refusal("Le lot n'existe pas dans la circonscription foncière demandée.")

MISSING_NUMBER = Refusal("Vous devez saisir un numéro.")
BAD_NUMBER = Refusal("Le numéro saisi n’est pas valide.")
MISSING_CIRCONSCRIPTION = Refusal("Vous devez choisir une circonscription foncière.")
MISSING_CADASTRE = Refusal("Vous devez choisir un cadastre.")
MISSING_TYPE = Refusal("Vous devez choisir un type de document.")

NOTHING_CHOSEN = "Vous devez sélectionner un document dans la liste."
PAPER_ONLY = (
    "Ce document est conservé sur papier seulement. Veuillez vous adresser au bureau de la publicité des droits."
)
GONE = "La demande n’est plus disponible. Veuillez en faire une nouvelle."
NOT_CONFIRMED = "La demande doit être confirmée avant la consultation du document."
LOGIN_REFUSED = "Le code d’utilisateur ou le mot de passe est invalide."
ACCOUNT_LOCKED = "Votre compte est verrouillé. Veuillez communiquer avec le service à la clientèle."


def inactive_lot(number: str) -> str:
    return f"Le lot {grouped(number)} est inactif."


def inactive_lot_with_plans(number: str) -> str:
    return f"Le lot {grouped(number)} est inactif. Vous pouvez consulter l’un des plans suivants."
