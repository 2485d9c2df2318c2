"""A real JupyterLab, as a student meets it: every notebook opened, run from top to bottom, and looked at."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.browser.conftest import ROOT, new_page, none

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
SECONDS = 600  # for one notebook, on a busy machine
NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'
# console errors that JupyterLab logs whatever the notebook, each with its reason
NOT_OURS = {
    "_cellToolbarOverlapsContents": "measures a cell's toolbar after the cell has been left",
}

FINISHED = """() => {
    const { content, sessionContext } = jupyterapp.shell.currentWidget;
    const code = content.widgets.filter(c => c.model.type === 'code' && c.model.sharedModel.source.trim());
    return sessionContext.session?.kernel?.status === 'idle'
        && code.every(c => c.model.executionCount && c.model.executionState !== 'running');
}"""
SCROLL_THROUGH = """async () => {
    const seen = [];
    for (const [n, cell] of jupyterapp.shell.currentWidget.content.widgets.entries()) {
        cell.node.scrollIntoView();
        await cell.ready;
        if (cell.model.type !== 'markdown') continue;
        const shown = () => cell.node.querySelector('.myst, .jp-MarkdownOutput');
        for (let frame = 0; !shown()?.innerText.trim() && frame < 600; frame++)
            await new Promise(requestAnimationFrame);
        seen.push([n, shown()?.innerHTML ?? '', shown()?.innerText ?? 'nothing is shown: :::']);
    }
    return seen;
}"""
LOST_PICTURES = """[...document.querySelectorAll('.jp-OutputArea img')]
    .filter(i => !i.complete || !i.naturalWidth).map(i => i.src.slice(0, 80))"""
RAW = re.compile(r":::.*|\{[a-z:]+\}`.*|\$\$|^:label:.*|^\([a-z]+-[a-z-]+\)=$", re.M)  # what MyST would have understood
CELLS = "jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.toJSON())"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with settings of its own, on a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    for folder in ("notebooks", "book"):
        shutil.copytree(ROOT / folder, home / "work" / folder, ignore=ignored)
    news = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(NO_NEWS)
    places = {f"JUPYTER_{n}_DIR": str(home / n.lower()) for n in ("CONFIG", "DATA", "RUNTIME")}
    places |= {f"JUPYTERLAB_{n}_DIR": str(home / n.lower()) for n in ("SETTINGS", "WORKSPACES")}
    places |= {"IPYTHONDIR": str(home / "ipython")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": home / "work",
        "ServerApp.allow_root": True,
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
        "LabApp.extension_manager": "readonly",  # asks no package index
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser"]
    command += [f"--{name}={value}" for name, value in options.items()]
    log = home / "log.txt"
    with log.open("w") as written:
        server = subprocess.Popen(command, env=os.environ | places, stdout=written, stderr=written)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status", server, log)
        yield f"http://127.0.0.1:{port}/lab"
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url, server, log):
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            return urlopen(url)
        except URLError:
            time.sleep(0.25)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module", params=NOTEBOOKS)
def page(request, lab, chromium):
    """A notebook in JupyterLab after Run > Run All Cells."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = new_page(context)
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/tree/notebooks/{request.param}?reset")
    page.wait_for_function("""window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel
        && jupyterapp.shell.currentWidget.content.widgets.length > 1""")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(FINISHED, timeout=SECONDS * 1000, polling=500)
    yield page
    context.close()


@pytest.fixture(scope="module")
def cells(page):
    """The cells as they stand in the notebook's model; most of them are far off the screen."""
    return page.evaluate(CELLS)


@pytest.fixture(scope="module")
def text(page):
    """The formatted text, as it is shown when the reader scrolls through: (cell's number, HTML, words)."""
    return page.evaluate(SCROLL_THROUGH)


def outputs(cells):
    return [(number, out) for number, cell in enumerate(cells) for out in cell.get("outputs", [])]


def test_every_cell_has_run(cells):
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def test_no_cell_fails_or_complains(cells):
    none([f"cell {n}: {o['ename']}: {o['evalue']}" for n, o in outputs(cells) if o["output_type"] == "error"])
    none([f"cell {n}: {o['text']}" for n, o in outputs(cells) if o.get("name") == "stderr"])


def test_directives_and_formulas_are_formatted(cells, text):
    none([f"cell {n}: {found}" for n, _, words in text for found in RAW.findall(words)])
    none([f"cell {n}: {html}" for n, html, _ in text if "katex-error" in html])
    boxes = sum(re.findall("^:::+{(?:prf:|exercise|solution})", "".join(c["source"]), re.M) != [] for c in cells)
    assert sum("<aside" in html for _, html, _ in text) >= boxes > 0


def test_figures_are_shown(page, cells):
    figures = [n for n, cell in enumerate(cells) if "figure" in cell["metadata"].get("mystnb", {})]
    shown = {n for n, o in outputs(cells) if {"image/png", "image/svg+xml"} & set(o.get("data", {}))}
    assert set(figures) <= shown
    assert page.evaluate(LOST_PICTURES) == []


def test_interactive_figures_run(page, cells):
    """As many as the cells put out: a chapter may have none."""
    written = [n for n, o in outputs(cells) if "course-widget" in "".join(o.get("data", {}).get("text/html", ""))]
    assert page.evaluate("document.querySelectorAll('.course-widget').length") == len(written)
    assert page.evaluate("document.querySelectorAll('.course-widget[data-ready]').length") == len(written)


def test_solutions_are_folded_in(page, cells):
    tagged = [n for n, c in enumerate(cells) if any("solution:" in t for t in c["metadata"].get("tags", []))]
    hidden = "n => jupyterapp.shell.currentWidget.content.widgets[n].inputHidden"
    assert tagged
    none([f"cell {number} shows its solution" for number in tagged if not page.evaluate(hidden, number)])


def test_nothing_went_wrong(page):
    """Last, so that it has heard what the other tests provoked."""
    said = [complaint for complaint in page.complaints if not any(known in complaint for known in NOT_OURS)]
    lines = [line for complaint in said for line in complaint.removeprefix("console: ").splitlines()]
    none([line for line in lines if not refers_to_another_chapter(line)])


def refers_to_another_chapter(line):
    """JupyterLab opens one notebook at a time, and complains of each reference that leads out of it."""
    lost = re.match(r"\s*Cross reference target was not found: (\S+)", line)
    written = [path.read_text(encoding="utf-8") for path in (ROOT / "notebooks").glob("*.ipynb")] if lost else []
    return any(f":label: {lost[1]}\\n" in text or f"({lost[1]})=\\n" in text for text in written)
