"""The process in which a student's code runs, and nothing else: it is told what to do, and answers in JSON.

    python worker.py REPLIES MEMORY

Requests come on standard input, each a pickle: ("run", source) executes a cell, ("call", name, arguments) calls what
a cell defined. Replies go to the file descriptor REPLIES, one line of JSON each. Nothing here knows a right answer.
"""

import ast
import collections
import fractions
import io
import json
import os
import pickle
import re
import resource
import sys
import traceback
import warnings

FILE = 100 * 2**20  # bytes that a file may have; that of what is printed, too
DICTIONARIES = (dict, collections.defaultdict, collections.Counter, collections.OrderedDict)


def main(replies: int, memory: int) -> None:
    """Serve requests until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    requests, sys.stdin = sys.stdin.buffer, io.StringIO()  # a cell that asks for input gets none
    sys.path[0] = os.getcwd()  # what was handed out with the problem set
    warnings.simplefilter("ignore")
    os.register_at_fork(after_in_child=lambda: os.close(replies))  # what a cell forks has no say
    namespace, own = {"__name__": "__main__"}, os.getpid()
    while True:
        try:
            request = pickle.load(requests)
        except EOFError:
            return
        try:
            if request[0] == "run":
                execute(request[1], namespace)
                reply = {"ok": None}
            else:
                reply = {"ok": plain(call(namespace, *request[1:]))}
            line = json.dumps(reply)
        except NotImplementedError:
            line = json.dumps({"error": "NotImplementedError", "words": ""})
        except BaseException as error:  # whatever it is, exits and interrupts too: it costs this cell alone
            line = json.dumps({"error": type(error).__name__, "words": words(error)})
        if os.getpid() != own:
            os._exit(0)
        sys.stdout.flush()
        write_all(replies, line.encode() + b"\n")


def execute(source: str, namespace: dict) -> None:
    """Run a cell as a notebook does: lines with % or ! are left out, the last expression is not shown."""
    try:
        tree = ast.parse(source, "<cell>")
    except SyntaxError:  # "%matplotlib inline" is no Python; "% 3" as the second line of an expression is
        lines = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in source.split("\n")]
        tree = ast.parse("\n".join(lines), "<cell>")
    exec(compile(tree, "<cell>", "exec"), namespace)


def call(namespace: dict, name: str, arguments: tuple):
    """The value of a function that a cell defined."""
    if name not in namespace:
        raise NameError(f"no function {name} is defined")
    return namespace[name](*arguments)


def plain(value):
    """Numbers, strings, lists and dictionaries of these, by exact type; anything else is no answer."""
    kind = type(value)
    if value is None or kind in (str, bool, int, float):
        return value
    if kind is fractions.Fraction:
        return float(value)
    module = kind.__module__.partition(".")[0]
    if module == "torch" and kind.__name__ in ("Tensor", "Parameter"):
        return {"array": value.detach().double().tolist(), "shape": list(value.shape)}
    if module == "numpy" and kind.__name__ in ("ndarray", "matrix"):
        if value.dtype.kind not in "biuf":
            raise TypeError(f"an array of {value.dtype} is no array of numbers")
        whole = value.dtype.kind in "biu"
        return {"array": (value if whole else value.astype(float)).tolist(), "shape": list(value.shape)}
    if module == "numpy" and hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if kind in DICTIONARIES:
        return {"keys": [plain(key) for key in value], "values": [plain(part) for part in value.values()]}
    raise TypeError(f"a {kind.__name__} is no number, array, text, list or dictionary: return one of these")


def words(error: BaseException) -> str:
    """What an error says, with the line of the cell where it arose."""
    try:
        said = str(error)[:500]
    except BaseException:
        said = ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<cell>"]
    return said + (f" (line {lines[-1]} of the cell)" if lines else "")


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
