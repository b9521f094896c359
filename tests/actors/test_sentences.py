"""What the site says, at a sign-in or of an order, is kept for whoever classes it."""

from __future__ import annotations

from registre.errors import AccountError, DataError, ErrorKind
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until

REFUSED = "Code d'utilisateur ou mot de passe invalide."
UNKNOWN = "La demande ne peut être traitée : motif 4471-B."


def test_the_words_of_sign_ins_and_of_orders_are_counted(site: Site, registry: FakeRegistry) -> None:
    refusal = DataError(ErrorKind.UNKNOWN_SENTENCE, UNKNOWN, needs_review=True, said=UNKNOWN)
    registry.fail(Point.SUBMIT, refusal)
    site.accounts("99T0001")
    orders = site.order(1_000_001, 1_000_002)
    site.start()
    site.until_ended(*orders)
    registry.fail(Point.SIGN_IN, AccountError(ErrorKind.LOGIN_REFUSED, REFUSED, said=REFUSED), account="99T0002")
    site.accounts("99T0002")
    site.tick_supervisor()
    heard = until(lambda: found if len(found := site.store.sentences.all()) == 2 else None, "not all was kept")
    assert {(s.text, s.source, s.kind, s.count) for s in heard} == {
        (REFUSED, "", "login_refused", 1),
        (UNKNOWN, "index", "unknown_sentence", 2),
    }
    assert {s.last_job for s in heard if s.needs_review} <= set(orders)
