"""Every page of the built book, in light and in dark."""

import pytest

from tests.browser.conftest import (
    HTML,
    THEMES,
    new_page,
    none,
    open_page,
    open_solutions,
    pages,
    pale_text,
    resize,
    violations,
)

RAW_TEX = r"""() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) =>
        node.parentElement.closest('script, style, pre, code, kbd, mjx-container, .course-widget')
            ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    const found = [];
    while (walker.nextNode())
        if (/\$|\\[a-zA-Z]+|\\[()[\]]/.test(walker.currentNode.data)) found.push(walker.currentNode.data.trim());
    return found;
}"""
UNRENDERED = """[...document.querySelectorAll('.math')]
    .filter(e => !e.querySelector('mjx-container')).map(e => e.outerHTML.slice(0, 120))"""
WRONG_FORMULAS = r"""[...document.querySelectorAll('mjx-merror, [data-mjx-error], merror, mjx-container mtext')]
    .filter(e => e.localName !== 'mtext' || e.textContent.startsWith('\\'))  // a macro that MathJax does not know
    .map(e => e.getAttribute('data-mjx-error') || e.textContent)"""
NOT_LOADED = """[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)"""
WITHOUT_WORDS = """[...document.images].filter(i => !i.alt.trim()).map(i => i.outerHTML.slice(0, 120))"""
BEYOND_THE_EDGE = """(width) => [...document.body.querySelectorAll('*')].filter(e =>
        e.getBoundingClientRect().right > width + 1 && getComputedStyle(e).position !== 'fixed')
    .map(e => e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 60)).slice(0, 5)"""
LOST_ANCHORS = """[...new Set([...document.querySelectorAll('main a[href^="#"], .bd-toc a[href^="#"]')]
    .map(a => decodeURIComponent(a.hash.slice(1))).filter(name => name))].filter(name => {
        const target = document.getElementById(name);
        if (!target) return true;
        location.hash = '#' + encodeURIComponent(name);
        const box = target.getBoundingClientRect();
        return box.bottom <= 0 || box.top >= innerHeight;
    })"""


@pytest.fixture(scope="module", params=[(p, t) for p in pages() for t in THEMES], ids="-".join)
def page(request, contexts, site):
    """One page in one colour scheme, opened once for all its tests."""
    name, theme = request.param
    opened = open_page(new_page(contexts[theme]), f"{site}/{name}")
    opened.theme = theme
    yield opened
    opened.close()


def test_theme_follows_the_system(page):
    assert page.evaluate("document.documentElement.dataset.theme") == page.theme


def test_formulas_are_rendered(page):
    none(page.evaluate(UNRENDERED))
    none(page.evaluate(WRONG_FORMULAS))
    none(page.evaluate(RAW_TEX))


def test_fonts_are_loaded(page):
    none(page.evaluate("[...document.fonts].filter(f => f.status === 'error').map(f => f.family)"))


def test_images_are_loaded_and_have_words(page):
    for image in page.locator("img[loading=lazy]").all():
        image.scroll_into_view_if_needed()
    none(page.evaluate(NOT_LOADED))
    none(page.evaluate(WITHOUT_WORDS))


def test_solutions_open_on_click(page):
    for box in page.locator(".admonition.dropdown, .toggle").all():
        content = box.locator(":scope > :not(.admonition-title)").first
        assert not content.is_visible()
        box.locator(":scope > .admonition-title").click(position={"x": 60, "y": 12})
        assert content.is_visible()
        assert len(box.inner_text()) > 80
        box.get_by_role("button").first.press("Enter")
        assert not content.is_visible()


def test_accessible(page):
    resize(page, 1280)
    open_solutions(page)
    none(violations(page))


def test_text_stands_out(page):
    resize(page, 1280)
    open_solutions(page)
    none(pale_text(page))


def test_anchors_lead_to_what_they_name(page):
    resize(page, 1280)
    open_solutions(page)
    none(page.evaluate(LOST_ANCHORS))


def test_print_view(page):
    page.emulate_media(media="print")
    assert page.locator("main").inner_text().strip()
    page.emulate_media(media="screen")


@pytest.mark.parametrize("width", [375, 320])
def test_nothing_scrolls_sideways(page, width):
    resize(page, width)
    open_solutions(page)
    needed = page.evaluate("document.documentElement.scrollWidth")
    assert needed <= width, page.evaluate(BEYOND_THE_EDGE, width)


def test_accessible_when_narrow(page):
    resize(page, 320)
    open_solutions(page)
    none(violations(page))


def test_nothing_went_wrong(page):
    """Last, so that it has heard what the other tests provoked."""
    none(page.complaints)


def test_the_book_is_there():
    assert {"search.html", "book/index.html"} <= set(pages()), f"no book in {HTML}"


def test_the_door_leads_to_the_landing_page(contexts, site):
    page = new_page(contexts["light"])
    page.goto(site)
    page.wait_for_url(f"{site}/book/index.html")
    none(page.complaints)
    page.close()
