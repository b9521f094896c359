"""The first page: what a person must not miss is told there, with its reason."""

from __future__ import annotations

from registre.database.gateway import Json
from tests.dashboard.conftest import Reader, shown


def test_a_document_that_its_bucket_does_not_take_is_told_with_the_reason_until_it_does(reader: Reader) -> None:
    reader.sign_in()
    stage = reader.stage
    assert 'id="failing"' not in reader.get("/").text
    [seat] = stage.accounts(1)
    stage.submit(stage.order(number="2 784 195", source="index"))
    held = stage.lease(seat)
    purchase = stage.intend(held)
    stage.move("charge_purchase", purchase=purchase, token=held.token, notes=Json([]))
    stage.move("secure_purchase", purchase=purchase, sha256="c" * 64, size_bytes=1000, pages=2)
    for _ in range(3):
        stage.move("note_undelivered", purchase=purchase, reason="The bucket has no room left <b>")
    page = reader.get("/").text
    assert "1 document is bought, and cannot be put into its bucket" in shown(page)
    assert "The bucket has no room left &lt;b&gt;" in page
    assert f'href="/orders/{held.job}"' in page
    assert "could not be put yet" in shown(reader.get(f"/orders/{held.job}").text)
    stage.move("deliver", purchase=purchase, sha256="c" * 64, bucket="index", object_key="one.pdf")
    assert 'id="failing"' not in reader.get("/").text
