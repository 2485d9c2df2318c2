"""The book as it is built: complete, self-contained, every link and anchor in place, no warning."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from jupyter_cache import get_cache

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
SECONDS = {"15": 300}  # that a chapter may take; every other one:
SECONDS_OTHERWISE = 90
REQUESTED = {  # element: attribute that a browser fetches by itself
    "script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src",
    "embed": "src", "object": "data", "use": "href", "image": "href", "input": "src", "track": "src",
}  # fmt: skip
FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch",
                 "manifest", "apple-touch-icon"}  # fmt: skip
GLUED = re.compile(r"\{glue:text\}`([^`]+)`")
EXTERNAL = re.compile(r"^(?:https?:)?//", re.IGNORECASE)
IN_CSS = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


@pytest.fixture(scope="module")
def build():
    """Build the book once, as make book does."""
    command = [sys.executable, str(ROOT / "tools" / "build_book.py")]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")


@pytest.fixture(autouse=True)
def built(build, request):
    if build.returncode and request.function is not test_the_book_builds_without_a_warning:
        pytest.skip("the book was not built")


def test_the_book_builds_without_a_warning(build):
    assert build.returncode == 0, build.stdout


@cache
def pages() -> dict[Path, BeautifulSoup]:
    """Every page, parsed; not what the theme serves beside them."""
    found = (p for p in HTML.rglob("*.html") if not {"_static", "_sources"} & set(p.relative_to(HTML).parts))
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in sorted(found)}


def table_of_contents() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def chapters() -> list[str]:
    return [name for name in table_of_contents() if name.startswith("notebooks/")]


def report(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(sorted(set(complaints)))


def external_requests(page: BeautifulSoup) -> list[str]:
    """What opening the page would fetch from elsewhere."""
    found = [str(tag.get(attribute, "")) for name, attribute in REQUESTED.items() for tag in page(name)]
    found += [
        part.split()[0] for tag in page(srcset=True) for part in tag["srcset"].split(",") if part.strip()
    ]
    found += [str(link.get("href")) for link in page("link") if FETCHED_LINKS & set(link.get("rel", []))]
    styles = [style.get_text() for style in page("style")] + [tag["style"] for tag in page(style=True)]
    return [url for url in found if EXTERNAL.match(url)] + [
        u for style in styles for u in IN_CSS.findall(style)
    ]


def test_external_requests_are_seen():
    page = BeautifulSoup(
        '<link rel="stylesheet" href="https://a/x.css"><script src="//b/y.js"></script><style>@import "https://c";'
        '</style><p style="background: url(http://d/z.png)"></p><a href="https://e"></a><img src="f.png">',
        "html.parser",
    )
    assert external_requests(page) == ["//b/y.js", "https://a/x.css", "https://c", "http://d/z.png"]


def test_every_page_of_the_contents_is_there():
    assert [name for name in table_of_contents() if HTML / f"{name}.html" not in pages()] == []
    assert (HTML / "index.html").exists()


def test_no_page_requests_anything_from_elsewhere():
    report([f"{path.name}: {url}" for path, page in pages().items() for url in external_requests(page)])


def test_no_stylesheet_requests_anything_from_elsewhere():
    sheets = (HTML / "_static").rglob("*.css")
    report([f"{s.name}: {u}" for s in sheets for u in IN_CSS.findall(s.read_text(encoding="utf-8"))])


def test_what_pages_request_is_there():
    complaints = []
    for path, page in pages().items():
        urls = [tag.get(attribute) for name, attribute in REQUESTED.items() for tag in page(name)]
        urls += [link.get("href") for link in page("link") if FETCHED_LINKS & set(link.get("rel", []))]
        for url in urls:
            if url and not url.startswith(("data:", "#")):
                target = path.parent / unquote(urlsplit(url).path)
                complaints += [] if target.exists() else [f"{path.name}: {url}"]
    report(complaints)


def test_links_and_anchors_resolve():
    ids = {path: {tag["id"] for tag in page(id=True)} for path, page in pages().items()}
    complaints = []
    for path, page in pages().items():
        for link in page("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.exists() or (anchor and anchor not in ids.get(target, {anchor})):
                complaints.append(f"{path.name}: {link['href']}")
    report(complaints)


def test_ids_are_unique_on_a_page():
    complaints = []
    for path, page in pages().items():
        names = [tag["id"] for tag in page.find("article").find_all(id=True)] if page.find("article") else []
        complaints += [f"{path.name}: {name} stands twice" for name in names if names.count(name) > 1]
    report(complaints)


def test_pictures_have_alt_text_and_figures_a_caption():
    complaints = []
    for path, page in pages().items():
        article = page.find("article") or page
        for picture in article("img"):  # Sphinx puts the file's name where there is no alt text
            if picture.get("alt", "") in ("", picture["src"]):
                complaints.append(f"{path.name}: {picture['src']} has no alt text")
        for picture in article.select(".cell_output img"):
            if not (picture.find_parent("figure") and picture.find_parent("figure").find("figcaption")):
                complaints.append(f"{path.name}: {picture['src']} is no figure with a caption")
    report(complaints)


def test_no_markup_is_left_over():
    """A directive or a role that was not understood is shown as it was written."""
    raw = re.compile(r":::+|\{(?:[a-z]+:)?[a-z]+\}`|\{(?:numref|ref|cite|glue)[:\w]*\}")
    complaints = []
    for path, page in pages().items():
        for paragraph in (page.find("article") or page)("p"):
            for code in paragraph("code"):
                code.extract()
            complaints += [f"{path.name}: {match}" for match in raw.findall(paragraph.get_text())]
    report(complaints)


def test_every_glued_number_is_shown():
    """A value that the format in the text does not fit, such as a NumPy scalar, leaves a gap without a warning."""
    complaints = []
    for name in chapters():
        cells = nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
        used = [key for cell in cells if cell.cell_type == "markdown" for key in GLUED.findall(cell.source)]
        shown = [span.get_text() for span in pages()[HTML / f"{name}.html"].select("article .pasted-text")]
        if len(shown) != len(used) or not all(re.search(r"\d", text) for text in shown):
            complaints.append(f"{name} uses {used} and shows {shown}")
    report(complaints)


def test_chapters_are_numbered():
    for number, name in enumerate(chapters(), 1):
        assert pages()[HTML / f"{name}.html"].select_one("article h1").get_text().startswith(f"{number}. ")


def test_claims_page_lists_every_claim_with_its_checks():
    links = {link["href"] for link in pages()[HTML / "book" / "claims.html"].select("table a[href]")}
    complaints = []
    for name in chapters():
        notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
        tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
        for label in {tag.removeprefix("check:") for tag in tags if tag.startswith("check:")}:
            for anchor in (label, f"check-{label}"):
                complaints += [] if f"../{name}.html#{anchor}" in links else [f"{name}#{anchor}"]
    assert links or not chapters()
    report(complaints)


def test_chapters_keep_their_time():
    """Seconds as measured when the notebook was last executed, two at a time."""
    cache = get_cache(str(ROOT / "_build" / ".jupyter_cache"))
    complaints = []
    for name in chapters():
        record = cache.match_cache_notebook(nbformat.read(ROOT / f"{name}.ipynb", as_version=4))
        seconds, allowed = record.data["execution_seconds"], SECONDS.get(name[10:12], SECONDS_OTHERWISE)
        print(f"{name}: {seconds:.0f} s of {allowed} s")
        complaints += [f"{name} took {seconds:.0f} s, {allowed} s allowed"] if seconds > allowed else []
    report(complaints)


def test_no_line_breaks_before_a_per_cent_sign():
    written = [text for page in pages().values() for text in page.find_all(string=re.compile("%"))]
    prose = [text for text in written if not text.find_parent(["code", "pre", "script", "style", "svg"])]
    prose = [text for text in prose if not text.find_parent(class_="course-widget")]
    assert len(prose) > 50
    report([text for text in prose if re.search(r"(?:^|\d) %", text)])
