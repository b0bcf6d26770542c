"""Writes the notebooks of this folder with nbformat itself (the reference implementation) and, from them, the variants
that other tools and hands produce. Run by hand: python3 generate.py"""

import json
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

HERE = Path(__file__).parent


def rich():
    outputs = [
        new_output("stream", name="stdout", text="10%\r50%\r100%\nعربي and 🐎\x1b[31mred\x1b[0m\n"),
        new_output("stream", name="stderr", text="warning\n"),
        new_output(
            "display_data",
            data={
                "text/plain": "a figure",
                "text/html": "<b>bold</b>\n<i>line</i>\n",
                "image/png": "iVBORw0KGgo=\n",
                "image/svg+xml": "<svg>\n</svg>",
                "application/vnd.plotly.v1+json": {"data": [{"y": [1, 2.50, 1e-3]}], "layout": {}},
            },
            metadata={"image/png": {"width": 640}},
        ),
        new_output("execute_result", data={"text/plain": "42"}, execution_count=3),
        new_output("error", ename="System.Exception", evalue="boom", traceback=["at a", "at b"]),
    ]
    cells = [
        new_markdown_cell("# Title\n\nmaths $x^2$ ![p](attachment:p.png)", id="title", attachments={"p.png": {"image/png": "iVBORw0KGgo="}}),
        new_code_cell('var seed = 1;\nvar name = "smoke";', id="parameters", metadata={"tags": ["parameters"], "unknown": {"b": 1, "a": [None, True]}}),
        new_code_cell("seed + 1", id="run", execution_count=3, outputs=outputs),
        new_code_cell("", id="empty"),
        new_raw_cell("raw\r\ntext\x85nel\u2028ls", id="raw"),
    ]
    metadata = {
        "kernelspec": {"display_name": ".NET (C#)", "language": "C#", "name": ".net-csharp"},
        "language_info": {"name": "polyglot-notebook"},
    }
    return new_notebook(cells=cells, metadata=metadata)


def write(name, text):
    (HERE / name).write_bytes(text.encode("utf-8"))


def executed(notebook):
    """The notebook after a run, as nbformat writes it: outputs of the parameters cell and a cell put in after it."""
    cell = notebook.cells[1]
    cell.execution_count = 1
    cell.outputs = [
        new_output("stream", name="stdout", text="one\ntwo"),
        new_output("display_data", data={"application/json": {"a": [1, "x"]}, "image/png": "AAAA", "text/html": "<p>\n</p>"}),
        new_output("execute_result", data={"text/plain": "é 🐎"}, execution_count=1),
        new_output("error", ename="E", evalue="boom", traceback=["line 1", "line 2"]),
    ]
    notebook.cells.insert(2, new_code_cell("seed = 7;\n", id="injected", metadata={"tags": ["injected-parameters"]}))
    return notebook


def main():
    notebook = rich()
    text = nbformat.writes(notebook) + "\n"
    write("nbformat.ipynb", text)
    write("no-final-newline.ipynb", text[:-1])
    write("crlf.ipynb", text.replace("\n", "\r\n"))
    write("bom.ipynb", "\ufeff" + text)
    split = json.loads(text)
    write("indent4-ascii.ipynb", json.dumps(split, indent=4))
    write("one-line.ipynb", json.dumps(split))
    write("minified.ipynb", json.dumps(split, separators=(",", ":"), ensure_ascii=False))
    write("tabs.ipynb", json.dumps(split, indent="\t", ensure_ascii=False))
    whole = json.loads(text)
    for cell in whole["cells"]:
        cell["source"] = "".join(cell["source"])
    write("source-as-string.ipynb", json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    old = nbformat.from_dict({**json.loads(text), "nbformat_minor": 2})
    for cell in old.cells:
        del cell["id"]
    write("minor2-without-ids.ipynb", nbformat.writes(old))
    write("executed.ipynb", nbformat.writes(executed(rich())) + "\n")


main()
