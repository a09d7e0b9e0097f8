"""What cannot be read as YAML gets one clear line, at the place where the mistake is and not where it is noticed."""

import pytest
import yaml

from paramedic.catalog.syntax import syntax_fault
from tests.catalog.texts import documents

INDENT = "indent with spaces, alike for everything of one level"
TAB = f"a tab stands where the indentation is made of spaces; {INDENT}"

BROKEN = {
    # Tabs
    "a:\n\tb: 1\n": f"2:1: {TAB}",
    "\ta: 1\n": f"1:1: {TAB}",
    "a:\n  - b: 1\n\t  c: 2\n": f"3:1: {TAB}",
    # Brackets and quotes: the place where they were opened
    "a: [1, 2\nb: 3\n": '1:4: the list that begins here is not closed; add "]"',
    "a: {b: 1\nc: 3\n": '1:4: the mapping that begins here is not closed; add "}"',
    "a: [1, {b: 2]\n": '1:8: the mapping that begins here is not closed; add "}"',
    "a: 'it\nb: c\n": "1:4: the quote that opens here is never closed; close it",
    'a: "it\nb: c\n': "1:4: the quote that opens here is never closed; close it",
    "a: 'it's'\n": "1:8: a key is expected here; check the indentation, and brackets and quotes before",
    "a: 'x\n---\nb: 1\n": "1:4: the quote that opens here is never closed; close it",
    "a: [1, 2]]\n": "1:10: a key is expected here; check the indentation, and brackets and quotes before",
    "a: [\n": '2:1: the text ends inside a bracket that is not closed; add "]" or "}"',
    "a: {b: [1,": '2:1: the text ends inside a bracket that is not closed; add "]" or "}"',
    "a: }\n": "1:4: a value is expected here; write one, or quote it",
    "{a: 1,, b: 2}\n": "1:7: a value is expected here; write one, or quote it",
    # Templates without quotes
    "a: {b: ${x}}\n": "1:4: the mapping that begins here is not closed; quote a value that contains ${...}",
    "a: [${x}, y]\n": "1:4: the list that begins here is not closed; quote a value that contains ${...}",
    # Colons
    "a: b: c\n": '1:5: a ":" stands where no key can be; quote a value that contains ": "',
    "a: 1\nb\nc: 2\n": '2:1: a key has no ":" after it; write "key: value"',
    '"a": 1\n"b" 2\n': '2:1: a key has no ":" after it; write "key: value"',
    "{a:, b: 1}\n": '1:2: a ":" stands inside a word; put a space after it, or quote the word',
    # Indentation
    "- a\nb: 1\n": f'2:1: an item that begins with "- " is expected here; {INDENT}',
    "  a: 1\n b: 2\n": f"2:2: this does not belong to what stands before it; {INDENT}; --- begins anew",
    "a:\n  - b\n c: 1\n": "3:2: a key is expected here; check the indentation, and brackets and quotes before",
    "a: 1\n  b: 2\n": '2:4: a ":" stands where no key can be; quote a value that contains ": "',
    "a: - b\n": '1:4: an item "- " stands where none can be; begin a new line for it',
    "a: 1\n...\nb: 2\n": f"3:1: this does not belong to what stands before it; {INDENT}; --- begins anew",
    # First characters
    "a: @b\n": '1:4: a value cannot begin with "@"; quote it',
    "a: `b`\n": '1:4: a value cannot begin with "`"; quote it',
    "a: %b\n": '1:4: a value cannot begin with "%"; quote it',
    "a: *\n": '1:4: a "*" begins an alias; quote a value that begins with "*"',
    "a: &\n": '1:4: a "&" begins an anchor; quote a value that begins with "&"',
    "a: !<b\n": '1:4: a tag means nothing here; quote a value that begins with "!"',
    # The rest
    'a: "\\q"\n': "1:5: this escape means nothing; in double quotes write a backslash twice, or use single quotes",
    "a: |x\n b\n": "1:5: nothing but a comment may follow on this line; begin a new line",
    "%YAML 9.9\n---\na: 1\n": "1:1: a % directive means nothing here; remove the line",
    "%FOO\n---\na: 1\n": "1:1: a % directive means nothing here; remove the line",
    "a: *nowhere\n": "1:4: there is no anchor &nowhere before this; write &nowhere at what it stands for",
}


@pytest.mark.parametrize(("text", "fault"), BROKEN.items())
def test_a_text_that_cannot_be_read_gets_one_clear_line(text: str, fault: str) -> None:
    assert documents(text)[1] == [fault]


def test_it_is_one_line_whatever_stands_around() -> None:
    text = "# remark\n" * 50 + "a: [1\n" + "b: 2\n" * 50

    assert documents(text)[1] == ['51:4: the list that begins here is not closed; add "]"']


def test_what_the_parser_has_no_words_for_is_said_as_it_says_it() -> None:
    class Strange(yaml.error.MarkedYAMLError):
        pass

    mark = yaml.error.Mark("", 0, 3, 4, None, 0)
    odd = Strange(problem="found a wild animal", problem_mark=mark)

    assert syntax_fault(odd, "a\n", (1, 1)) == (
        4,
        5,
        "this cannot be read (found a wild animal)",
        "quote it if it is text",
    )


def test_an_error_without_a_place_gets_the_last_one_known() -> None:
    assert syntax_fault(yaml.YAMLError(), "a\n", (7, 3)) == (7, 3, "this is not YAML", INDENT)


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a\x01", (1, 2), "the control character U+0001 is not allowed"),
        ("é\nb\x7f", (2, 2), "the control character U+007F is not allowed"),
    ],
)
def test_a_control_character_has_its_place_though_the_parser_only_counts(
    text: str, place: tuple[int, int], what: str
) -> None:
    position = next(n for n, char in enumerate(text) if not char.isprintable() and char != "\n")
    error = yaml.reader.ReaderError("", position, 1, "utf-8", "no")

    line, column, said, _ = syntax_fault(error, text, (1, 1))
    assert ((line, column), said) == (place, what)
