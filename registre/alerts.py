"""Alerts: what a person should know without looking, in a sentence of either language, and what to do about it.

Invariant: the database opens and closes them (sql/17_alerts.sql); a kind that is not known here, since a later version opened it, is
shown by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from registre.language import Language, instant, money

EVENTS = ("alert.opened", "alert.closed")
"""The kinds of events that tell of them; webhooks may ask for these."""


class AlertKind(StrEnum):
    """What is watched."""

    NO_WORKER = "no_worker"
    ERROR_BURST = "error_burst"
    DRIFT = "drift"
    BUDGET_NEAR = "budget_near"
    BUDGET_OVER = "budget_over"
    SPOOL_FILLING = "spool_filling"
    ACCOUNT_SET_ASIDE = "account_set_aside"


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert. `subject` names the source, account, host or budget, '' for the whole; `closed_at` is None while it lasts; `facts`
    are as last seen."""

    id: int
    kind: str
    subject: str
    facts: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None


FR, EN = Language.FRENCH, Language.ENGLISH
# ruff: noqa: E501 - a sentence and its French stand side by side
_SENTENCES: Mapping[str, Mapping[Language, str]] = {
    AlertKind.NO_WORKER: {
        FR: "Des commandes attendent ({waiting}) et personne n’y travaille ; la plus ancienne depuis {since}.",
        EN: "Orders wait ({waiting}) and nobody works on them; the oldest since {since}.",
    },
    AlertKind.ERROR_BURST: {
        FR: "Échecs : {failed} des {ended} commandes terminées dans le dernier quart d’heure.",
        EN: "Failures: {failed} of the {ended} orders that ended in the last quarter of an hour.",
    },
    AlertKind.DRIFT: {
        FR: "Le formulaire de {subject} a changé : ses commandes attendent. {reason}",
        EN: "The form of {subject} has changed: its orders wait. {reason}",
    },
    AlertKind.BUDGET_NEAR: {
        FR: "Le budget {subject} est presque épuisé : {used} sur {cap}.",
        EN: "The budget {subject} is nearly used up: {used} of {cap}.",
    },
    AlertKind.BUDGET_OVER: {
        FR: "Le budget {subject} n’a plus de place pour un document : {used} sur {cap}.",
        EN: "The budget {subject} has no room for another document: {used} of {cap}.",
    },
    AlertKind.SPOOL_FILLING: {
        FR: "Des documents achetés ({documents}) attendent sur l’hôte {subject}, le plus ancien depuis {since}.",
        EN: "Bought documents ({documents}) wait on the host {subject}, the oldest since {since}.",
    },
    AlertKind.ACCOUNT_SET_ASIDE: {
        FR: "Le compte {subject} est mis de côté : {reason}",
        EN: "The account {subject} is set aside: {reason}",
    },
}
_ADVICE: Mapping[str, Mapping[Language, str]] = {
    AlertKind.NO_WORKER: {
        FR: "Démarrez un travailleur (registre up), ou voyez avec registre hosts list et registre doctor pourquoi il s’est arrêté.",
        EN: "Start a worker (registre up), or see by registre hosts list and registre doctor why it stopped.",
    },
    AlertKind.ERROR_BURST: {
        FR: "Regardez les échecs par cause ; mettez en pause la source touchée si le site en est la cause.",
        EN: "Look at the failures by cause; pause the source concerned if the site is the cause.",
    },
    AlertKind.DRIFT: {
        FR: "Regardez ce qui a changé (registre site forms), puis acceptez-le (registre site accept {subject}) ou corrigez le profil.",
        EN: "Look at what has changed (registre site forms), then accept it (registre site accept {subject}) or mend the profile.",
    },
    AlertKind.BUDGET_NEAR: {
        FR: "Relevez le plafond si la dépense est voulue (registre budgets set) ; sinon, voyez qui commande (registre costs report).",
        EN: "Raise the cap if this is meant (registre budgets set); else see who orders (registre costs report).",
    },
    AlertKind.BUDGET_OVER: {
        FR: "Les commandes attendent : relevez le plafond (registre budgets set), ou attendez la prochaine période.",
        EN: "Orders wait: raise the cap (registre budgets set), or wait for the next period.",
    },
    AlertKind.SPOOL_FILLING: {
        FR: "Vérifiez les dépôts et le travailleur de cet hôte (registre doctor) ; rien n’est perdu tant que son disque existe.",
        EN: "Check the buckets and that host’s worker (registre doctor); nothing is lost while its disk is there.",
    },
    AlertKind.ACCOUNT_SET_ASIDE: {
        FR: "Corrigez ce que dit la raison, puis donnez le mot de passe à nouveau (registre accounts add {subject}) ou remettez le compte en service.",
        EN: "Mend what the reason says, then give the password anew (registre accounts add {subject}) or put the account back.",
    },
}


def sentence(kind: str, subject: str, facts: Mapping[str, Any], language: Language) -> str:
    """What it tells, for a person."""
    return _said(_SENTENCES, kind, subject, facts, language) or f"{kind} {subject}".rstrip()


def advice(kind: str, subject: str, language: Language) -> str:
    """What to do; '' for a kind that is not known."""
    return _said(_ADVICE, kind, subject, {}, language)


def _said(
    texts: Mapping[str, Mapping[Language, str]], kind: str, subject: str, facts: Mapping[str, Any], language: Language
) -> str:
    if kind not in texts:
        return ""
    told = {name: "" if value is None else str(value) for name, value in facts.items()}
    if told.get("since"):
        told["since"] = instant(datetime.fromisoformat(told["since"]), language)
    for name in ("used", "cap"):
        if f"{name}_cents" in facts:
            told[name] = money(int(facts[f"{name}_cents"]), language)
    return texts[kind][language].format_map(_Known({**told, "subject": subject})).strip()


class _Known(dict[str, str]):
    """A fact that is not there leaves a gap in the sentence, which is better than no sentence."""

    def __missing__(self, name: str) -> str:
        return "…"
