"""What a reader does with the built book: search, switch the theme, use a phone, open a page from the disk."""

import pytest

from tests.browser.conftest import HTML, new_page, none, open_page
from tests.browser.test_pages import RAW_TEX, UNRENDERED, WRONG_FORMULAS

LANDING = "book/index.html"
CHAPTER_2 = "notebooks/02_ngrams.html"


@pytest.fixture
def page(chromium):
    """A page of a reader who was never here before."""
    context = chromium.new_context(color_scheme="light", reduced_motion="reduce")
    opened = new_page(context)
    yield opened
    context.close()
    none(opened.complaints)


def test_search_finds_the_chapter(page, site):
    open_page(page, f"{site}/{LANDING}")
    page.keyboard.press("Control+k")
    page.keyboard.type("Kneser")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=Kneser*")
    hit = page.locator(f"#search-results a[href*='{CHAPTER_2}']").first
    hit.click()
    page.wait_for_url(f"**/{CHAPTER_2}*")
    assert "n-gram" in page.locator("main h1").first.inner_text()


def test_search_says_when_it_finds_nothing(page, site):
    open_page(page, f"{site}/search.html?q=xylophone")
    page.get_by_text("did not match any documents").wait_for()
    assert page.locator("#search-results a").count() == 0


def test_theme_switch_goes_through_all_and_is_remembered(page, site):
    open_page(page, f"{site}/{LANDING}")
    theme = "document.documentElement.dataset.theme"
    button = page.locator(".theme-switch-button:visible")
    back = {}
    for mode in ("dark", "light", "auto", "dark"):
        button.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.documentElement.dataset.mode") == mode
        assert page.evaluate(theme) == ("dark" if mode == "dark" else "light")
        back[mode] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back["dark"] != back["light"] == back["auto"]
    page.reload()
    assert page.evaluate(theme) == "dark"


def test_printing_opens_the_solutions(page, site):
    open_page(page, f"{site}/{CHAPTER_2}")
    assert page.locator(".toggle-hidden").count() > 0
    page.evaluate("""addEventListener("beforeprint", () => {
        window.stillClosed = document.querySelectorAll(".toggle-hidden").length;
    })""")
    page.pdf()
    assert page.evaluate("stillClosed") == 0
    assert page.locator(".toggle-hidden").count() > 0


def test_page_opened_from_the_disk(page):
    open_page(page, (HTML / CHAPTER_2).as_uri())
    assert page.locator("mjx-container").count() > 50
    for check in (UNRENDERED, WRONG_FORMULAS, RAW_TEX):
        none(page.evaluate(check))
    assert page.evaluate("[...document.fonts].filter(f => f.status === 'error').length") == 0
    figures = page.locator(".course-widget")
    assert figures.count() == page.locator(".course-widget[data-ready]").count() > 0
    page.get_by_role("link", name="Glossary").first.click()
    assert "Glossary" in page.locator("main h1").first.inner_text()


def test_search_from_the_disk_names_the_pages(page):
    open_page(page, (HTML / "search.html").as_uri() + "?q=Kneser")
    page.locator(f"#search-results a[href*='{CHAPTER_2}']").first.wait_for()
    page.get_by_text("Search finished").wait_for()
    # the excerpts are missing there, since a browser lets no page read other files
    page.complaints[:] = [said for said in page.complaints if "etch" not in said and "ERR_FAILED" not in said]


def test_contents_on_a_phone(page, site):
    open_page(page, f"{site}/{LANDING}", width=375)
    chapter = page.locator("nav.bd-links a[href$='02_ngrams.html']")
    assert not chapter.is_visible()
    page.locator("button.primary-toggle").click()
    chapter.click()
    page.wait_for_url(f"**/{CHAPTER_2}")
    page.locator("button.secondary-toggle").click()
    page.locator("nav.page-toc a", has_text="Exercises").click()
    assert page.locator("#exercises h2").evaluate("e => e.getBoundingClientRect().top < innerHeight")


def test_claim_and_check_lead_to_each_other(page, site):
    open_page(page, f"{site}/book/claims.html")
    page.locator("table.claims-ledger tbody tr").last.locator("a").first.click()
    claim = page.locator(":target")
    claim.get_by_role("link", name="Checked by").first.click()
    cell = page.locator(":target")
    assert "assert" in cell.locator(".cell_input").inner_text()
    box = cell.bounding_box()
    assert 0 <= box["y"] < 900
