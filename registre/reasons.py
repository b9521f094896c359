"""Why orders wait, in French: the sentences that the gates speak in English, where they are judged (sql/04, sql/13); and with them
those of `registre.endings`.

Invariant: what is named in a sentence (a client, an amount, another's words) stays as it is; a sentence that is not known here is
shown as it came.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from registre.endings import ENDINGS
from registre.language import Language

# ruff: noqa: E501 - a sentence and its French stand side by side
_FRENCH = {
    "nothing waits": "rien n’attend",
    "no account is signed in": "aucun compte n’a de session ouverte",
    "every account is at work": "tous les comptes sont au travail",
    "it is next in line": "c’est la prochaine",
    "it is about to start": "elle va commencer",
    "its deadline has passed: it is about to end": "son échéance est passée : elle va se terminer",
    "its document is bought and on its way to the bucket": "son document est acheté, et en route vers son dépôt",
    "its document is bought and on its way to the bucket, in which it could not be put yet: {why*}": "son document est acheté, et en "
    "route vers son dépôt, où il n’a pas encore pu être mis : {why*}",
    "the accounts rest between two orders; the next is ready at {when}": "les comptes se reposent entre deux commandes ; "
    "le prochain sera prêt à {when}",
    "every order that waits is put off; the next one until {when}": "toutes les commandes en attente sont reportées ; la prochaine, "
    "jusqu’à {when}",
    "put off until {when}: {why*}": "reportée jusqu’à {when} : {why*}",
    "put off until {when}": "reportée jusqu’à {when}",
    "it is being worked on by {who}: {step*}": "{who} y travaille : {step*}",
    "it is being worked on by {who}": "{who} y travaille",
    "it is done: {path}": "c’est fait : {path}",
    "it ended in error: {why*}": "elle s’est terminée en erreur : {why*}",
    "the registry has no opening in the next 30 days": "le registre n’ouvre pas dans les 30 prochains jours",
    "the registry is closed, or closes too soon, until {when}": "le registre est fermé, ou ferme trop tôt, jusqu’à {when}",
    "the registry's site is failing ({why}); next try at {when}": "le site du registre est en panne ({why}) ; prochain essai à {when}",
    "the registry's site was failing; one order is trying it now": "le site du registre était en panne ; une commande l’essaie maintenant",
    "the form of {source} is not as expected ({what}); a person must look": "le formulaire de {source} n’est pas celui attendu "
    "({what}) ; une personne doit regarder",
    "everything is paused by {who}: {why}": "tout est mis en pause par {who} : {why}",
    "account {name} is paused by {who}: {why}": "le compte {name} est mis en pause par {who} : {why}",
    "client {name} is paused by {who}: {why}": "le client {name} est mis en pause par {who} : {why}",
    "source {name} is paused by {who}: {why}": "la source {name} est mise en pause par {who} : {why}",
    "batch {name} costs about {price} and waits for approval": "le lot {name} coûte environ {price} et attend une approbation",
    "the budget of the day is used up ({used} of {cap})": "le budget du jour est épuisé ({used} sur {cap})",
    "the budget of the month is used up ({used} of {cap})": "le budget du mois est épuisé ({used} sur {cap})",
    "the budget of {scope} {name} of the day is used up ({used} of {cap})": "le budget du jour de {scope} {name} est épuisé ({used} sur {cap})",
    "the budget of {scope} {name} of the month is used up ({used} of {cap})": "le budget du mois de {scope} {name} est épuisé "
    "({used} sur {cap})",
    "the budget of {scope} {name} is used up ({used} of {cap})": "le budget de {scope} {name} est épuisé ({used} sur {cap})",
}


@lru_cache(maxsize=1024)
def reason(text: str, language: Language) -> str:
    """The sentence in the reader's language; `{name*}` above is one within another."""
    if language is not Language.FRENCH:
        return text
    for pattern, french in _patterns():
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            return re.sub(
                r"\{(\w+)(\*?)\}",
                lambda name: reason(parts[name[1]], language) if name[2] else parts[name[1]],  # noqa: B023 - used at once
                french,
            )
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Names are as short as may be, the last one is all that is left."""
    return [
        (re.compile(re.sub(r"\\\{(\w+)(?:\\\*)?\\\}", r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), french)
        for english, french in {**_FRENCH, **ENDINGS}.items()
    ]
