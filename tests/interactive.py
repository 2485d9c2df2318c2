"""What every test of an interactive figure reads from it: the data, the table, the page as a whole."""

import json
import re

NASTY = "</script><!-- <b>&\u2028\"'"


def embedded(widget):
    """The data that the page's script will read."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', widget._repr_html_(), re.S)[1])


def rows(widget):
    """The cells of every table row of the substitute, as text."""
    found = re.findall("<tr>(.*?)</tr>", widget.table)
    return [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]


def check_page(make, kind, url=r"url\((?!#)"):
    """The page of ``make()`` is the same every time, has its script and its table, and asks nothing of the network."""
    page = make()._repr_html_()
    assert page == make()._repr_html_()
    assert f"courseWidgets.kinds.{kind} =" in page
    assert "<table>" in page
    assert not re.search(rf"""(src|href)=|@import|{url}|https?://(?!www\.w3\.org/2000/svg)""", page)


def check_escaped(widget):
    """The text :data:`NASTY` in its data neither ends the script nor becomes a tag, and arrives as it is."""
    assert "<b>" not in widget._repr_html_()
    assert widget._repr_html_().count("</script>") == 2
    assert NASTY in json.dumps(embedded(widget), ensure_ascii=False).replace('\\"', '"')
