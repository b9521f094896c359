"""What people come for, in a real Chromium: an order watched to its end, a cause retried, a file ordered, an account paused, the
stream lost and found again. The worker is played through the product's own functions.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from api.app import create_app
from registre.access import Role, make_key
from registre.database.gateway import DirectGateway
from registre.serving import listen
from registre.site.chromium import find_chromium
from tests.api.conftest import running
from tests.dashboard.stage import FAILURES, Stage
from tests.waiting import SECONDS

PATIENCE = SECONDS * 1000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = find_chromium(None)
    assert chromium is not None, "these tests need a Chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def stage(gateway: DirectGateway, tmp_path: Path) -> Stage:
    return Stage(gateway, tmp_path)


@pytest.fixture
def key(stage: Stage) -> str:
    made = make_key()
    stage.store.keys.add(made, "marie", Role.ADMIN, "a test")
    return made.text


class Visit:
    """One person at their browser. What the page complained of is kept: a script that fails, a policy that is broken."""

    def __init__(self, browser: Browser, address: str, key: str) -> None:
        self.context = browser.new_context(locale="en-CA", accept_downloads=True)
        self.address = address
        self.complaints: list[str] = []
        self.tab: Page = self.context.new_page()
        self.tab.set_default_timeout(PATIENCE)
        self.tab.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(address + "/")
        self.tab.get_by_label("Your key").fill(key)
        self.tab.get_by_role("button", name="Sign in").click()
        expect(self.tab.get_by_role("heading", name="Overview")).to_be_visible()

    def go(self, path: str) -> Page:
        self.tab.goto(self.address + path)
        return self.tab


@pytest.fixture
def visit(browser: Browser, stage: Stage, key: str) -> Iterator[Visit]:
    with running(create_app(stage.store)) as address:
        made = Visit(browser, address, key)
        yield made
        made.context.close()
    assert made.complaints == []


def test_an_order_is_watched_to_its_end(visit: Visit, stage: Stage) -> None:
    [seat] = stage.accounts(1)
    [job] = stage.submit(stage.order(source="index", number="2 784 195"))
    tab = visit.go("/")
    expect(tab.locator("#count-queued b")).to_have_text("1")
    held = stage.lease(seat)
    stage.report(seat, "busy", job)
    expect(tab.locator("#count-processing b")).to_have_text("1")
    card = tab.locator(f"#account-{seat.username}")
    expect(card).to_contain_text("2 784 195")
    stage.step(held, "waiting for the viewer")
    expect(card).to_contain_text("waiting for the viewer")
    card.get_by_role("link", name="2 784 195").click()
    expect(tab.locator("#state")).to_contain_text("In progress")
    tab.evaluate("window.sameDocument = true")
    stage.deliver(held, stage.intend(held))
    expect(tab.locator("#state")).to_contain_text("Completed")
    assert tab.evaluate("window.sameDocument"), "the page was loaded anew"
    expect(tab.locator(".timeline")).to_contain_text("document in its bucket")
    picture = tab.get_by_alt_text("Page 1")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 500
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Download the document").click()
    assert download.value.suggested_filename.startswith("index 2784195")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")


def test_one_cause_is_retried_in_bulk(visit: Visit, stage: Stage) -> None:
    [seat] = stage.accounts(1)
    for kind, sentence in (*FAILURES[:2], FAILURES[0]):
        stage.submit(stage.order())
        stage.fail(seat, kind, sentence)
    tab = visit.go("/failures")
    row = tab.locator("#cause-not_found")
    expect(row).to_contain_text("Aucun document")
    row.get_by_role("button", name="Retry these…").click()
    expect(tab.get_by_role("heading", name="Retry 2 orders?")).to_be_visible()
    expect(tab.locator("main")).to_contain_text("$3.00")
    tab.keyboard.press("Enter")  # the button is where the keyboard is
    expect(tab.get_by_role("heading", name="2 orders wait again")).to_be_visible()
    tab.get_by_role("link", name="To the failures").click()
    expect(tab.locator("#cause-ambiguous_option")).to_be_visible()
    expect(tab.locator("#cause-not_found")).to_have_count(0)
    tab.get_by_role("link", name="Audit").click()
    expect(tab.locator("tbody")).to_contain_text("retried by a person")


def test_a_choice_that_has_changed_meanwhile_is_refused(visit: Visit, stage: Stage) -> None:
    [seat] = stage.accounts(1)
    stage.submit(stage.order())
    stage.fail(seat, *FAILURES[0])
    tab = visit.go("/orders?status=failed")
    tab.get_by_label("the whole list instead of the marks").check()
    tab.get_by_role("button", name="Retry what is marked…").click()
    expect(tab.get_by_role("heading", name="Retry 1 order?")).to_be_visible()
    stage.submit(stage.order())
    stage.fail(seat, *FAILURES[0])
    tab.get_by_role("button", name="Retry 1 order").click()
    expect(tab.locator("main")).to_contain_text("the choice now holds 2; nothing was done")
    visit.complaints.clear()  # Chromium notes the refusal's status


def test_a_file_is_priced_ordered_and_its_documents_fetched(visit: Visit, stage: Stage, tmp_path: Path) -> None:
    [seat] = stage.accounts(1)
    lines = [
        "source;number;circonscription;cadastre",
        "index;2784195;Montréal;Cadastre du Québec",
        "index;2784196;Laval;Cadastre du Québec",
        "moon;1;Laval;Cadastre du Québec",
    ]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(lines), encoding="windows-1252")
    tab = visit.go("/batches")
    tab.get_by_label("Name", exact=True).fill("Dossier 12")
    tab.get_by_label("Drop a CSV or Excel file here").set_input_files(file)
    expect(tab.locator("#price")).to_contain_text("2 orders: $3.00")
    expect(tab.locator("#quote")).to_contain_text("1 row cannot be ordered")
    assert sum(stage.store.views.counts().values()) == 0
    tab.get_by_role("button", name="Order 2 documents").click()
    expect(tab.get_by_role("heading", name="Dossier 12")).to_be_visible()
    expect(tab.get_by_role("status").filter(has_text="The batch is ordered.")).to_be_visible()
    expect(tab.locator("#count-queued b")).to_have_text("2")
    for _ in range(2):
        stage.complete(seat, 0)
    expect(tab.locator("#count-completed b")).to_have_text("2")
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Download all as ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        [manifest] = [name for name in names if name.endswith(".csv")]
        rows = list(csv.reader(io.StringIO(archive.read(manifest).decode("utf-8-sig"))))
    assert (sum(name.endswith(".pdf") for name in names), len(rows)) == (2, 3)


def test_an_account_is_paused_and_why_orders_wait_is_read(visit: Visit, stage: Stage) -> None:
    [seat] = stage.accounts(1)
    stage.submit(stage.order())
    tab = visit.go("/accounts")
    row = tab.locator(f"#account-{seat.username}")
    row.get_by_text("Pause…").click()
    row.get_by_label("Reason, shown to whoever waits").fill("the invoice is being checked")
    row.get_by_role("button", name="Pause", exact=True).click()
    expect(row).to_contain_text("paused")
    expect(tab.locator("#why")).to_contain_text("the invoice is being checked")
    tab.get_by_role("link", name="Overview").click()
    expect(tab.locator("#why")).to_contain_text(
        f"account {seat.username} is paused by marie: the invoice is being checked"
    )
    tab.get_by_role("link", name="Accounts", exact=True).first.click()
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("in use")
    tab.get_by_role("link", name="Overview").click()
    expect(tab.locator("#why")).not_to_contain_text("paused")


def test_the_stream_is_lost_and_comes_back(browser: Browser, stage: Stage, key: str) -> None:
    listening = listen("127.0.0.1", 0, "The API")
    port = listening.getsockname()[1]
    listening.close()
    with running(create_app(stage.store), port) as address:
        visit = Visit(browser, address, key)
        tab = visit.tab
        expect(tab.locator("#count-queued b")).to_have_text("0")
    expect(tab.locator("#lost")).to_be_visible()
    stage.submit(stage.order())
    with running(create_app(stage.store), port):
        expect(tab.locator("#lost")).to_be_hidden()
        expect(tab.locator("#count-queued b")).to_have_text("1")
        stage.submit(stage.order())
        expect(tab.locator("#count-queued b")).to_have_text("2")
        visit.context.close()


def test_a_session_that_was_ended_elsewhere_leads_to_the_sign_in(visit: Visit, stage: Stage, key: str) -> None:
    tab = visit.go("/orders")
    stage.store.keys.revoke(key.split("_")[1], "a test")
    tab.get_by_role("button", name="Filter").click()
    expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    visit.complaints.clear()  # Chromium notes the refusal's status


def test_what_is_marked_and_typed_stays_while_things_happen(visit: Visit, stage: Stage) -> None:
    stage.submit(stage.order(number="1 111 111"), stage.order())
    tab = visit.go("/orders")
    tab.get_by_label("Mark 1 111 111").check()
    tab.get_by_label("Client").fill("Étude")
    stage.submit(stage.order())
    tab.evaluate("htmx.trigger(document.body, 'facts')")  # even if renewed by force
    expect(tab.locator("#total")).to_have_text("3")
    expect(tab.get_by_label("Mark 1 111 111")).to_be_checked()
    expect(tab.get_by_label("Client")).to_have_value("Étude")


def test_a_page_is_walked_by_keyboard_alone(visit: Visit, stage: Stage) -> None:
    stage.submit(stage.order(number="1 111 111"), stage.order(number="2 222 222"))
    tab = visit.go("/orders")
    tab.keyboard.press("/")
    tab.keyboard.type("1111111")
    expect(tab.locator("#total")).to_have_text("1")
    assert "text=1111111" in tab.url
    tab.keyboard.press("Enter")
    tab.get_by_role("link", name="1 111 111").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="1 111 111")).to_be_visible()
