"""The pages of the service in Chromium, as a user meets them: wide and narrow, in English and in Spanish."""

import os
import re
import shutil
from dataclasses import replace

import pytest

from tests.office.conftest import PATIENCE, until
from tests.unit.api.conftest import GUID, applied, running, snapshot
from xlsms.client import Host
from xlsms.model import Role
from xlsms.states import State

pytestmark = pytest.mark.browser

SIZES = {"wide": (1280, 800), "narrow": (390, 780)}
WORDS = {
    "en": {
        "send": "Send 2 messages", "sent": "Sent", "cell": "Go to the cell", "look": "Look at the spreadsheet",
        "changed": "The rows have changed", "trouble": "To look at 1", "more": "Show 300 more", "answer": "Your answer",
        "button": "Send", "gone": "This page has expired",
    },
    "es": {
        "send": "Enviar 2 mensajes", "sent": "Enviado", "cell": "Ir a la celda", "look": "Mire la hoja de cálculo",
        "changed": "Las filas han cambiado", "trouble": "Por revisar 1", "more": "Mostrar 300 más",
        "answer": "Su respuesta", "button": "Enviar", "gone": "Esta página ha caducado",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    """The browser; one for all."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is not here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=PATIENCE * 1000
        )
        yield browser
        browser.close()


class Tab:
    """A page, and what went wrong in it."""

    def __init__(self, page):
        self.page, self.wrong, self.asked = page, [], []
        self.expected = ()  # what the console may tell of
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda request: self.asked.append(request.url))

    def see(self, text):
        self.page.get_by_text(text).first.wait_for()

    def fits(self):
        """Nothing sticks out to the side."""
        return self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def shot(self, name):
        """A picture, where somebody wants to look."""
        if folder := os.environ.get("XLSMS_SHOTS"):
            self.page.screenshot(path=f"{folder}/{name}.png")


@pytest.fixture
def tab(chromium, request):
    """Opens an address: `tab(address, size, language)`."""
    contexts, tabs = [], []

    def opened(address, size="wide", language="en", scheme="light"):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=language, color_scheme=scheme
        )
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        tabs.append(Tab(context.new_page()))
        tabs[-1].page.goto(address)
        return tabs[-1]

    yield opened
    for made in tabs:
        assert [it for it in made.wrong if not any(status in it for status in made.expected)] == []
        assert all(url.startswith("http://127.0.0.1:") for url in made.asked), made.asked  # nobody else is asked
        assert not any(re.search("600|Hola|Hello", url) for url in made.asked)  # nor told a number or a text
    for context in contexts:
        context.close()


@pytest.fixture(params=["en", "es"])
def office(request, tmp_path):
    """A service that speaks the language, with a simulated network."""
    with running(tmp_path, language=request.param) as made:
        made.language = request.param
        yield made


def planned(office, *numbers, text="Hola {Nombre}"):
    book = office.client.register(guid=GUID, path=None, name="lista.xlsx", host=Host.EXCEL, language=office.language)
    return book, office.client.plan(book, snapshot(*numbers, text=text, language=office.language))


def ordered(office, book):
    """What a page has ordered, as soon as it has."""
    (order,) = until(lambda: office.client.changes(book, since=book.cursor, wait=1).orders)
    return order


@pytest.mark.parametrize("size", SIZES)
def test_a_preview_leads_to_the_cell_and_sends_what_it_shows(office, tab, size):
    said = WORDS[office.language]
    book, plan = planned(office, "600000001", "600000002", "12")
    page = tab(office.client.preview_page(plan), size, office.language)
    page.see(said["send"])
    assert page.page.evaluate("location.hash") == ""  # the ticket is out of the address
    assert page.page.evaluate("document.documentElement.lang") == office.language
    assert page.fits()
    page.shot(f"preview-{office.language}-{size}")
    # only what is to be looked at, and from there to its cell
    page.page.get_by_role("button", name=said["trouble"]).click()
    assert page.page.locator(".list .why").count() == 1
    assert page.page.locator(".list .to").count() == 1
    page.page.get_by_role("button", name=said["cell"]).click()
    page.see(said["look"])
    order = ordered(office, book)
    assert (order.kind, order.sheet, order.row, order.column) == ("show", "Lista", 4, "B")
    # sending freezes it: the button is spent, and what is ordered is this plan by its hash
    page.page.get_by_role("button", name=said["send"]).click()
    page.page.locator(".primary:disabled").wait_for()
    page.shot(f"preview-sent-{office.language}-{size}")
    order = ordered(office, book)
    assert (order.kind, order.plan, order.hash) == ("send", plan.id, plan.hash)
    campaign = office.client.send(order.plan, order.hash)
    office.client.written(campaign, applied(campaign))
    page.see(re.compile(f"^{said['sent']}$"))
    assert page.page.locator(".primary:enabled").count() == 0
    office.changes(book, book.cursor, lambda states: len(states) == 2)
    assert page.fits()


def test_a_preview_is_opened_once_and_stays_after_a_reload(office, tab):
    said = WORDS[office.language]
    _, plan = planned(office, "600000001", "600000002")
    address = office.client.preview_page(plan)
    page = tab(address, language=office.language)
    page.see(said["send"])
    page.page.reload()
    page.see(said["send"])
    second = tab(address, "narrow", office.language)
    second.page.get_by_role("heading").wait_for()
    second.shot(f"expired-{office.language}")
    second.expected = ("401", "403")
    assert second.page.locator(".primary").count() == 0
    assert second.fits()


def test_many_rows_come_by_and_by(office, tab):
    _, plan = planned(office, *(f"6{n:08}" for n in range(700)))
    page = tab(office.client.preview_page(plan), language=office.language)
    page.see(re.compile("700"))
    assert page.page.locator(".list .to").count() == 300
    page.page.get_by_role("button", name=WORDS[office.language]["more"]).click()
    assert page.page.locator(".list .to").count() == 600


@pytest.mark.parametrize("size", SIZES)
def test_a_conversation_is_followed_and_answered(office, tab, size):
    said = WORDS[office.language]
    hostile = "<img src=x onerror=alert(1)> =1+1"
    office.client.text("600000001", "Hola, ¿viene mañana?")
    page = tab(office.client.conversation_page("600000001"), size, office.language)
    page.see("¿viene mañana?")
    box = page.page.get_by_label(said["answer"])
    box.fill("De acuerdo 😊\nHasta mañana")
    page.page.get_by_role("button", name=said["button"], exact=True).click()
    page.see("Hasta mañana")
    page.page.locator(".primary:enabled").wait_for()
    assert box.input_value() == ""
    box.fill(hostile)
    box.press("Control+Enter")
    page.see(hostile)
    assert page.page.locator(".said img").count() == 0
    until(lambda: [it.text for it in office.client.conversation("600000001").texts if it.mine][-1] == hostile)
    # what comes in while it is open shows by itself
    until(lambda: any(not it.mine for it in office.client.conversation("600000001").texts))
    page.page.locator(".said:not(.mine)").first.wait_for()
    assert page.fits()
    page.shot(f"conversation-{office.language}-{size}")


def test_what_is_typed_while_an_answer_leaves_stays(office, tab):
    said = WORDS[office.language]
    office.client.text("600000001", "Hola")
    page = tab(office.client.conversation_page("600000001"), language=office.language)
    box = page.page.get_by_label(said["answer"])

    def type_on(route):
        box.fill("Y otra cosa")
        route.continue_()

    page.page.route("**/page/reply", type_on)
    box.fill("Hasta mañana")
    box.press("Control+Enter")
    page.see("Hasta mañana")
    page.page.locator(".primary:enabled").wait_for()
    assert box.input_value() == "Y otra cosa"


def test_what_is_hidden_in_a_text_is_seen(office, tab):
    hostile = "\u202eRTL evil\u202c \u200bend 👨\u200d👩"
    seen = "U+202ERTL evilU+202C U+200Bend 👨\u200d👩"
    _, plan = planned(office, "600000001", text=hostile)
    page = tab(office.client.preview_page(plan), "narrow", office.language)
    page.page.locator(".list .body .tag").first.wait_for()
    assert page.page.locator(".list .body > bdi").inner_text() == seen
    assert "U+202E" in page.page.locator(".list .body small").inner_text()
    assert page.fits()
    page.shot(f"preview-hidden-{office.language}")
    office.client.text("600000001", hostile)
    talk = tab(office.client.conversation_page("600000001"), "narrow", office.language)
    talk.page.locator(".said .tag").first.wait_for()
    assert seen in talk.page.locator(".said p bdi").all_inner_texts()


def test_a_page_says_how_many_rows_had_changed(office, tab):
    book, plan = planned(office, "600000001", "600000002", "600000003")
    page = tab(office.client.preview_page(plan), "narrow", office.language)
    page.see(
        {"en": "A row that changes before that does not go", "es": "Una fila que cambie antes no sale"}[office.language]
    )
    page.page.locator(".primary:enabled").click()
    order = ordered(office, book)
    campaign = office.client.send(order.plan, order.hash)
    office.client.written(campaign, applied(campaign, done=campaign.edits[:1]))
    page.see({"en": "2 were not sent", "es": "2 no se enviaron"}[office.language])
    assert page.fits()
    page.shot(f"preview-withdrawn-{office.language}")


def test_what_is_hidden_in_a_tooltip_is_seen(office, tab):
    office.client.text("600000001", "hola")
    talk = tab(office.client.conversation_page("600000001"), "narrow", office.language)
    talk.page.locator(".said").first.wait_for()

    def answer(route):
        told = route.fetch().json()
        for text in told["texts"]:
            text["detail"] = "no \u202esender\u200b"
        route.fulfill(json=told)

    talk.page.route("**/page/conversation", answer)
    talk.page.reload()
    talk.page.locator(".said.mine small").first.wait_for()
    assert talk.page.locator(".said.mine small").first.get_attribute("title") == "no U+202EsenderU+200B"


def test_a_row_that_goes_once_more_says_so(office, tab):
    book, plan = planned(office, "600000001", "600000002")
    campaign = office.client.send(plan)
    office.client.written(campaign, applied(campaign))
    office.changes(
        book, book.cursor, lambda it: len(it) == 2 and all(one.state is State.DELIVERED for one in it.values())
    )
    asked = snapshot("600000001", "600000002", language=office.language)
    first = asked.rows[0]._replace(id=campaign.edits[0].values[Role.ID])
    page = tab(
        office.client.preview_page(office.client.plan(book, replace(asked, rows=(first,)))), "wide", office.language
    )
    page.see({"en": "The same was sent before (Delivered)", "es": "Ya se envió lo mismo (Entregado)"}[office.language])
    page.see({"en": "sent before, now once more", "es": "ya enviados, ahora otra vez"}[office.language])
    assert page.page.locator(".list .why.amber").count() == 1
    assert page.fits()
    page.shot(f"preview-again-{office.language}")


def test_pages_in_the_dark(office, tab):
    _, plan = planned(office, "600000001", "12", text="Żółw 😀 {Nombre}")
    page = tab(office.client.preview_page(plan), language=office.language, scheme="dark")
    page.page.locator(".list .why").first.wait_for()
    page.shot(f"preview-dark-{office.language}")
    background = page.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert max(map(int, re.findall(r"\d+", background)[:3])) < 64


def test_a_preview_says_that_all_sending_is_stopped(office, tab):
    office.client.stop()
    _, plan = planned(office, "600000001")
    page = tab(office.client.preview_page(plan), "narrow", office.language)
    page.page.locator(".stopped").wait_for()
    page.shot(f"preview-stopped-{office.language}")
    assert page.fits()
    office.client.resume()
    page.page.reload()
    page.page.locator(".primary").wait_for()
    assert page.page.locator(".stopped").count() == 0
