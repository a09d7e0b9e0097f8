"""What libyaml says when it cannot read on, in words for people. `documents` calls this.

libyaml reports where it stopped, which for brackets and quotes is far behind where the mistake is: then the place where
the open thing began is named instead.
"""

from collections.abc import Mapping

from yaml.error import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

__all__ = ["syntax_fault"]

_INDENT = "indent with spaces, alike for everything of one level"
_TAB = ("a tab stands where the indentation is made of spaces", _INDENT)

# (part of libyaml's problem, part of its context, what, what would be right); the first that fits is taken.
_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    ("tab character", "", *_TAB),
    ("mapping values are not allowed", "", 'a ":" stands where no key can be', 'quote a value that contains ": "'),
    ("did not find expected ',' or ']'", "", "the list that begins here is not closed", 'add "]"'),
    ("did not find expected ',' or '}'", "", "the mapping that begins here is not closed", 'add "}"'),
    ("unexpected end of stream", "quoted", "the quote that opens here is never closed", "close it"),
    ("unexpected document indicator", "quoted", "the quote that opens here is never closed", "close it"),
    ("found unexpected ':'", "", 'a ":" stands inside a word', "put a space after it, or quote the word"),
    ("could not find expected ':'", "", 'a key has no ":" after it', 'write "key: value"'),
    (
        "unknown escape",
        "",
        "this escape means nothing",
        "in double quotes write a backslash twice, or use single quotes",
    ),
    ("did not find expected '-'", "", 'an item that begins with "- " is expected here', _INDENT),
    (
        "did not find expected key",
        "",
        "a key is expected here",
        "check the indentation, and brackets and quotes before",
    ),
    ("did not find expected node content", "", "a value is expected here", "write one, or quote it"),
    ("expected <document start>", "", "this does not belong to what stands before it", f"{_INDENT}; --- begins anew"),
    ("expected comment or line break", "", "nothing but a comment may follow on this line", "begin a new line"),
    ("block sequence entries are not allowed", "", 'an item "- " stands where none can be', "begin a new line for it"),
    ("incompatible YAML document", "", "a % directive means nothing here", "remove the line"),
    ("", "scanning a directive", "a % directive means nothing here", "remove the line"),
    ("", "scanning a tag", "a tag means nothing here", 'quote a value that begins with "!"'),
    ("", "scanning an alias", 'a "*" begins an alias', 'quote a value that begins with "*"'),
    ("", "scanning an anchor", 'a "&" begins an anchor', 'quote a value that begins with "&"'),
)
_AT_ITS_START = ("or ']'", "or '}'", "end of stream", "document indicator", "expected ':'")
_ABOUT_ITS_START = ("an alias", "an anchor", "a tag", "a directive")
_STARTS: Mapping[str, tuple[str, str]] = {
    "\t": _TAB,
    "@": ('a value cannot begin with "@"', "quote it"),
    "`": ('a value cannot begin with "`"', "quote it"),
    "%": ('a value cannot begin with "%"', "quote it"),
}


def syntax_fault(error: YAMLError, text: str, last: tuple[int, int]) -> tuple[int, int, str, str]:
    """Line, column (from 1), what is wrong and what would be right. `last` is where the last good thing began."""
    if isinstance(error, ReaderError):
        before = text[: error.position]
        code = f"U+{ord(text[error.position]):04X}" if error.position < len(text) else "at the end"
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        return line, column, f"the control character {code} is not allowed", "remove it"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return *last, "this is not YAML", _INDENT
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark
    if error.context_mark is not None and (problem.endswith(_AT_ITS_START) or context.endswith(_ABOUT_ITS_START)):
        mark = error.context_mark
    line, column = mark.line + 1, mark.column + 1
    what, right = _words(problem, context, _char_at(text, line, column))
    if "node content" in problem and mark.index >= len(text.rstrip()):
        what, right = "the text ends inside a bracket that is not closed", 'add "]" or "}"'
    if "${" in _line(text, line) and "not closed" in what:
        right = "quote a value that contains ${...}"
    return line, column, what, right


def _words(problem: str, context: str, char: str) -> tuple[str, str]:
    if "cannot start any token" in problem and char in _STARTS:
        return _STARTS[char]
    for known, about, what, right in _KNOWN:
        if known in problem and about in context:
            return what, right
    return f"this cannot be read ({problem})", "quote it if it is text"


def _line(text: str, line: int) -> str:
    lines = text.split("\n", line)
    return lines[line - 1] if len(lines) >= line else ""


def _char_at(text: str, line: int, column: int) -> str:
    return _line(text, line)[column - 1 : column]
