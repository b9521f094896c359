"""A fleet as it might stand on a working day, made through the product's own functions under a clock of ours: for the journeys
and the pictures. Every name and number is made up.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fpdf import FPDF

from registre.account import Seat
from registre.database.gateway import DirectGateway, Json
from registre.storage.local import LocalBuckets
from registre.wiring import Store, make_store

OWNER = "bureau-1/boot-1"
BUCKETS = {"acte": "actes", "index": "index", "plan_cadastraux": "plans-cadastraux"}
PLACES = ("Montréal", "Laval", "Québec", "Sherbrooke", "Chambly", "Saint-Hyacinthe")
CLIENTS = ("Étude Tremblay", "Arpentage du Fleuve", "Titres Nord")
FAILURES = (
    ("not_found", "Aucun document ne correspond à votre demande."),
    (
        "ambiguous_option",
        "Deux cadastres conviennent à « St-Denis » : Paroisse de Saint-Denis, Village de Saint-Denis.",
    ),
    ("paper_only", "Ce document n'est disponible que sur support papier."),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as its owner knows it."""

    job: str
    token: int


class Stage:
    """`now` is the instant at which the next thing happens."""

    def __init__(self, gateway: DirectGateway, folder: Path) -> None:
        self.gateway = gateway
        self.folder = folder
        self.store: Store = make_store(gateway, LocalBuckets(folder / "buckets"))
        self.now = datetime.now(UTC)
        self._dice = random.Random(7)
        self._numbers = iter(range(2_784_195, 9_999_999, 37))

    def move(self, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
        return self.gateway.call(function, now=self.now, **arguments)

    def accounts(self, count: int) -> list[Seat]:
        for n in range(count):
            self.gateway.call("add_account", username=f"99X{n + 1:04}", password="made-up", author="marie")
        rows = self.move("claim_accounts", owner=OWNER, limit=count, visibility_seconds=10 * 86_400.0)
        return [Seat(r["id"], r["token"], r["username"], f"bureau-1/{r['username']}") for r in rows]

    def order(self, **more: object) -> dict[str, object]:
        """An order as submit_jobs takes it, of a document nobody has asked for."""
        source = self._dice.choice(["index", "index", "acte", "plan_cadastraux"])
        asked: dict[str, object] = {
            "source": source,
            "number": f"{next(self._numbers):,}".replace(",", " "),
            "circonscription": self._dice.choice(PLACES),
            "cadastre": "" if source == "acte" else "Cadastre du Québec",
            "designation": "",
            "acte_type": "Acte" if source == "acte" else "",
            "client": self._dice.choice(CLIENTS),
        }
        return asked | more

    def submit(self, *orders: dict[str, object]) -> list[str]:
        return [str(row["id"]) for row in self.move("submit_jobs", orders=Json(list(orders)))]

    def lease(self, seat: Seat) -> Held:
        seats = [{"account": seat.account_id, "token": seat.token, "worker": seat.worker}]
        [row] = self.move("lease_next", owner=OWNER, seats=Json(seats), visibility_seconds=86_400.0)
        return Held(str(row["id"]), row["token"])

    def step(self, held: Held, step: str) -> None:
        self.move("note_step", job=held.job, token=held.token, step=step)

    def intend(self, held: Held) -> str:
        return str(self.move("intend", job=held.job, token=held.token, host="bureau-1")[0]["purchase_id"])

    def deliver(self, held: Held, purchase: str, seconds: float = 0.0) -> None:
        """Billed, saved, and `seconds` later in its bucket."""
        job = self.store.views.job(held.job)  # type: ignore[arg-type]
        content = document(job.request.title)
        file = self.folder / "document.pdf"
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        bucket, key = BUCKETS[str(job.request.source)], f"{held.job}.pdf"
        self.move("charge_purchase", purchase=purchase, token=held.token, notes=Json([]))
        self.now += timedelta(seconds=seconds)
        self.move("secure_purchase", purchase=purchase, sha256=digest, size_bytes=len(content), pages=2)
        self.store.bucket.put(bucket, key, file, digest)
        self.move("deliver", purchase=purchase, sha256=digest, bucket=bucket, object_key=key)

    def complete(self, seat: Seat, seconds: float) -> str:
        """Whatever is next, from its lease to its bucket."""
        held = self.lease(seat)
        self.deliver(held, self.intend(held), seconds)
        return held.job

    def fail(self, seat: Seat, kind: str, message: str) -> str:
        held = self.lease(seat)
        self.now += timedelta(seconds=4)
        self.move("fail_job", job=held.job, token=held.token, kind=kind, message=message)
        return held.job

    def report(self, seat: Seat, status: str, job: str | None = None) -> None:
        self.move("report_worker", worker=seat.worker, status=status, account=seat.account_id, job=job)


def working_day(stage: Stage, say: Callable[[str], None] = lambda _: None) -> dict[str, str]:
    """Orders of a day that is under way; returns the ids of a completed one, a running one, one that failed, and of a batch."""
    really = stage.now
    stage.move("set_rule", name="pace_seconds", value=0.0, author="marie")
    stage.now = really - timedelta(days=2)
    seats = stage.accounts(6)
    stage.move("set_budget", scope="site", name="", period="day", cap_cents=15_000, author="marie")
    say("orders of yesterday and today")
    done = failed = ""
    for n in range(70):
        ago = timedelta(hours=23 - n * 0.32) if n < 40 else timedelta(minutes=8 + (70 - n) * 1.7)
        stage.now = really - ago
        stage.submit(stage.order())
        seat = seats[n % 5]
        if n % 9 == 4:
            failed = stage.fail(seat, *FAILURES[(n // 9) % len(FAILURES)])
        else:
            done = stage.complete(seat, 9 + (n * 7) % 16)
    say("a batch, and what runs now")
    stage.now = really - timedelta(minutes=6)
    rows = Json([stage.order(client=CLIENTS[0]) for _ in range(12)])
    [batch] = stage.move(
        "submit_batch", name="Dossier 2026-118", client=CLIENTS[0], author="jean", cap_cents=None, orders=rows
    )
    for n in range(4):
        stage.complete(seats[n], 14)
    running = ""
    for n, step in enumerate(("waiting for the viewer", "filling the form", "saving the document")):
        stage.now = really - timedelta(seconds=21 - 6 * n)
        held = stage.lease(seats[n])
        if n != 1:
            stage.intend(held)
        stage.step(held, step)
        stage.report(seats[n], "busy", held.job)
        running = held.job
    stage.now = really - timedelta(minutes=7)
    stage.report(seats[3], "idle")
    stage.report(seats[4], "offline")
    account = {"account": seats[5].account_id, "token": seats[5].token}
    stage.move("set_account_aside", **account, reason="Votre mot de passe est expiré.")
    stage.now = really
    stage.move("pause", scope="client", name=CLIENTS[2], author="marie", reason="facture en vérification")
    stage.submit(*[stage.order() for _ in range(9)])
    return {"done": done, "running": running, "failed": failed, "batch": str(batch["submit_batch"])}


def document(title: str) -> bytes:
    """A PDF of two pages that says what it is."""
    pdf = FPDF(format="letter")
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    for number in (1, 2):
        pdf.add_page()
        pdf.set_font("helvetica", "B", 16)
        pdf.cell(0, 12, title.encode("latin-1", "replace").decode("latin-1"), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("helvetica", size=11)
        for line in range(24):
            pdf.cell(
                0, 8, f"Inscription {line + 1 + 24 * (number - 1)}: document fictif", new_x="LMARGIN", new_y="NEXT"
            )
    return bytes(pdf.output())
