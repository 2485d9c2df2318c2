"""Chromium, a server for the built book, and pages that note everything that went wrong on them."""

import os
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",  # a container's root user has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing outside can be reached
]
THEMES = ("light", "dark")
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
CONTRAST = "color-contrast"  # takes four fifths of the time, so it runs apart


def pages() -> list[str]:
    """Every page of the built book; not its door, index.html, nor what the theme serves beside the pages."""
    found = (path.relative_to(HTML) for path in HTML.rglob("*.html"))
    return sorted(p.as_posix() for p in found if p.parts[0] not in ("_static", "_sources", "index.html"))


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium():
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROME") or next(filter(None, map(shutil.which, names)), None)
    assert found, f"no browser found: install one of {names}, or set CHROME to its path"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="package")
def site():
    """The address of the built book, served from this machine."""
    assert (HTML / "index.html").exists(), "the book is not built: run `make book` first"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=HTML)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="package")
def contexts(chromium):
    """One browser context for each colour scheme."""
    made = {theme: chromium.new_context(color_scheme=theme, reduced_motion="reduce") for theme in THEMES}
    yield made
    for context in made.values():
        context.close()


def new_page(context) -> Page:
    """A page whose ``complaints`` are its console errors, its exceptions, and what it asked of other hosts."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.complaints = complaints = []
    page.on("console", lambda m: complaints.extend(error_in(m)))
    page.on("pageerror", lambda error: complaints.append(f"exception: {error.stack or error}"))
    page.on("request", lambda request: complaints.extend(foreign(request.url)))
    page.on("websocket", lambda socket: complaints.extend(foreign(socket.url)))
    return page


def error_in(message) -> list[str]:
    return [f"console: {message.text} {message.location['url']}"] if message.type == "error" else []


def foreign(url: str) -> list[str]:
    parts = urlsplit(url)
    inside = parts.scheme in ("data", "blob", "about", "file") or parts.hostname == "127.0.0.1"
    return [] if inside else [f"request to another host: {url}"]


def open_page(page: Page, url: str, width: int = 1280) -> Page:
    """Go there and wait until formulas and interactive figures are ready."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(url)
    page.wait_for_function("!window.MathJax || MathJax.startup?.promise?.then(() => true)")
    page.evaluate("document.fonts.ready.then(() => true)")
    return page


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.1 A and AA but for contrast, a line for each element."""
    return run_axe(page, {"runOnly": WCAG, "rules": {CONTRAST: {"enabled": False}}})


def pale_text(page: Page) -> list[str]:
    """Text without enough contrast. Code is left out once every colour of it has been seen on its ground."""
    page.evaluate("""() => {
        const seen = new Set();
        for (const block of document.querySelectorAll('pre')) {
            const ground = block.closest('.cell_input, .cell_output')?.className;
            const kinds = [...block.querySelectorAll('*')].map(e => `${e.className} on ${ground}`);
            if (kinds.every(kind => seen.has(kind))) block.dataset.repeated = '';
            kinds.forEach(kind => seen.add(kind));
        }
    }""")
    rule = {"runOnly": {"type": "rule", "values": [CONTRAST]}}
    return run_axe(page, rule, {"exclude": ["pre[data-repeated]"]})


def run_axe(page: Page, options: dict, context: dict | None = None) -> list[str]:
    # without "preload", which fetches the stylesheets again, one of them from a wrong place
    found = Axe().run(page, context=context, options=options | {"preload": False})
    return [
        f"{rule['id']}: {node['html'][:160]}: {node['failureSummary']}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


def resize(page: Page, width: int) -> None:
    """Change the width; figures are drawn again, and 300 ms later the theme looks for blocks that scroll."""
    if page.viewport_size["width"] != width:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)


def open_solutions(page: Page) -> None:
    """Open every drop-down of the page."""
    page.evaluate("document.querySelectorAll('.toggle-button[aria-expanded=false]').forEach(b => b.click())")
    page.wait_for_timeout(50)


def none(found: list[str]) -> None:
    """Fail with every one of them, a line each."""
    assert not found, "\n" + "\n".join(found)
