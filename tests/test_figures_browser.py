"""What holds for every interactive figure in a real browser: everybody can use them."""

import pytest

from tests import test_decoding_figures_browser as decoding
from tests import test_explorers_browser as exploring
from tests import test_simulations_browser as simulating
from tests import test_walkthroughs_browser as walking
from tests import test_widgets_browser as base

pytestmark = pytest.mark.browser
browser, show = base.browser, base.show
LIVE = ".cw-live :is(button, input, select):visible:not([tabindex='-1'])"
MODULES = (base, simulating, exploring, decoding, walking)
FIGURES = {kind: make for module in MODULES for kind, make in module.FIGURES.items()}
DRIVERS = {kind: module.drive for module in MODULES for kind in module.FIGURES}


def drive(kind, page):
    """Bring a figure into the state that shows the most."""
    DRIVERS[kind](kind, page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", FIGURES)
def test_accessible(show, kind, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = show(FIGURES[kind](), theme=theme)
    for in_use in (False, True):
        if in_use:
            drive(kind, page)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
        rules = {"page-has-heading-one": {"enabled": False}}  # a matter of the page around it
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}, "rules": rules})
        assert not found.response["violations"], found.generate_report()
    colours = page.evaluate("""[...document.querySelectorAll('.course-widget svg text')].map(t =>
        [getComputedStyle(t).fill, getComputedStyle(t.closest('.course-widget')).backgroundColor])""")
    assert all(base.contrast(text, back) >= 4.5 for text, back in colours)


@pytest.mark.parametrize("width", [320, 375, 800])
@pytest.mark.parametrize("kind", FIGURES)
def test_nothing_scrolls_sideways_and_no_label_is_cut_off(show, kind, width):
    page = show(FIGURES[kind](), width=width)
    drive(kind, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    too_wide = page.evaluate("""[...document.querySelectorAll('.course-widget *')].filter(e =>
        e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' &&
        !e.closest('svg, input, .cw-unseen, .cw-scroll')).map(e => e.outerHTML.slice(0, 80))""")
    assert too_wide == []
    cut = page.evaluate("""[...document.querySelectorAll('.cw-chart text')].filter(t => {
        const [a, b] = [t.getBoundingClientRect(), t.closest('.cw-chart').getBoundingClientRect()];
        return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 3 || a.bottom > b.bottom + 1;
    }).map(t => t.textContent)""")
    assert cut == []


@pytest.mark.parametrize("kind", FIGURES)
def test_without_scripts_and_on_paper_a_table_stands_in(show, kind):
    page = show(FIGURES[kind](), script=False)
    assert page.locator(".cw-static").is_visible()
    assert page.locator(".cw-static table").first.is_visible()
    page = show(FIGURES[kind]())
    assert not page.locator(".cw-static").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".cw-static").is_visible()
    assert not page.locator(".cw-live").is_visible()


@pytest.mark.parametrize("kind", FIGURES)
def test_every_control_is_reached_by_tab_and_shows_the_focus(show, kind):
    """In JupyterLab "d d" on a control without the mark lmSuppressShortcuts would delete the cell."""
    page = show(FIGURES[kind]())
    controls, seen = page.locator(LIVE).count(), set()
    for _ in range(controls + 4):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate("""(() => { const e = document.activeElement;
            return e.matches('.cw-live :is(button, input, select)') && e.dataset.lmSuppressShortcuts === 'true'
                && getComputedStyle(e).outlineStyle === 'solid' ? e.outerHTML : '' })()""")
        )
    assert len(seen - {""}) == controls


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_many_on_one_page_have_their_own_ids_and_words(show, module):
    figures = [make() for make in module.FIGURES.values()]
    page = show(*figures, *figures)
    assert page.locator("[data-ready]").count() == 2 * len(figures)
    page.wait_for_timeout(100)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)
    words = page.locator("svg[role=img] desc").all_text_contents()
    assert words and all(len(text) > 40 for text in words)
