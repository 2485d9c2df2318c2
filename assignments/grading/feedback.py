"""The page that a student gets back: what was earned, why not more, and what the cells said. It needs no network."""

from __future__ import annotations

from html import escape

from assignments.grading.questions import ProblemSet

STYLE = """
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem; vertical-align: top; }
tr { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); } td.n { white-space: nowrap; }
pre { overflow-x: auto; padding: .6rem; font-size: 14px; background: color-mix(in srgb, currentColor 8%, transparent); }
pre.text { white-space: pre-wrap; overflow-wrap: anywhere; } h2 { margin-top: 2rem; font-size: 1.1rem; }
"""


def page(entry: dict, problems: ProblemSet, written: dict[tuple[str, str, str], dict]) -> str:
    """The feedback on one submission, as HTML."""
    student, name = entry["student"], entry["problem_set"]
    rows = [(q, f"{v['points']:g} of {v['out_of']}", v["message"]) for q, v in entry.get("verdicts", {}).items()]
    for question, points in problems.written.items():
        given = written[student, name, question]
        earned = f"{float(given['points']):g} of {points}" if given["points"] else f"out of {points}"
        rows.append((question, earned, given["comment"] or ("" if given["points"] else "not graded yet")))
    if not entry["failure"]:
        by_hand = [written[student, name, question]["points"] for question in problems.written]
        so_far = sum(v["points"] for v in entry["verdicts"].values()) + sum(map(float, filter(None, by_hand)))
        rows.append(("Together", f"{so_far:g} of {problems.points}", "" if all(by_hand) else "so far"))
    body = [f"<h1>{escape(problems.title)}: {escape(student)}</h1>"]
    if entry["failure"]:
        body.append(f"<p>The notebook could not be read: {escape(entry['failure'])}</p>")
    lines = (f"<tr><td>{escape(q)}<td class=n>{escape(p)}<td>{escape(m)}</tr>" for q, p, m in rows)
    body.append(f"<table><tr><th>Question<th>Points<th>Remark</tr>{''.join(lines)}</table>")
    body += [f"<p>{escape(note[:1].upper() + note[1:])}.</p>" for note in entry.get("notes", [])]
    said = {int(i): text for i, text in entry.get("said", {}).items()}
    for i, cell in enumerate(entry.get("cells", [])):
        own = not cell["id"] and cell["source"].strip()  # a helper, or the rest of a written answer
        if own or cell["id"] in {question for question, _, _ in rows}:
            kind = "code" if cell["type"] == "code" else "text"
            head = escape(cell["id"] or "A cell of your own")
            body.append(f"<h2>{head}</h2><pre class={kind}>{escape(cell['source'])}</pre>")
            if said.get(i):
                body.append(f"<p>It said:</p><pre>{escape(said[i])}</pre>")
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(name)}</title>"
    head += f"<style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(body)}</body></html>\n"
