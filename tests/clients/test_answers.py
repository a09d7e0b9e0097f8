"""What an answer to a write means; above all: when it may be sent again (promise 3)."""

import pytest

from paramedic.clients.answers import LONGEST_WAIT, excerpt, raise_unless_done, retry_after
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Reply

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def judge(
    status: int, *, repeatable: bool = False, expect: tuple[int, ...] = (), headers: dict[str, str] | None = None
) -> None:
    reply = Reply(status, headers or {}, b"why")
    raise_unless_done(reply, asked="POST to hook", expect=expect, repeatable=repeatable)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_done(status: int) -> None:
    judge(status)
    judge(status, repeatable=True)


@pytest.mark.parametrize("status", [200, 204, 404, 500])
def test_a_list_of_statuses_replaces_the_usual_ones(status: int) -> None:
    judge(404, expect=(404, 200))
    judge(500, expect=(500,))
    if status != 404:
        with pytest.raises((Permanent, UnknownOutcome)):
            judge(status, expect=(404,))


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 412, 413, 418, 422, 451, 501, 505])
def test_a_clear_no_is_permanent(status: int, repeatable: bool) -> None:
    with pytest.raises(Permanent, match=f"POST to hook answered {status}: why"):
        judge(status, repeatable=repeatable)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_permanent_and_says_so(status: int) -> None:
    with pytest.raises(Permanent, match="redirects are not followed"):
        judge(status)


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize(("status", "headers"), [(429, {}), (425, {}), (503, {"Retry-After": "9"})])
def test_what_was_turned_away_before_any_work_may_come_again(
    status: int, headers: dict[str, str], repeatable: bool
) -> None:
    with pytest.raises(Temporary):
        judge(status, repeatable=repeatable, headers=headers)


UNCLEAR = [408, 500, 502, 503, 504, 507, 520, 599]


@pytest.mark.parametrize("status", UNCLEAR)
def test_a_failure_that_may_have_done_the_work_is_unknown(status: int) -> None:
    """A 502 of a proxy says nothing about what its upstream did before."""
    with pytest.raises(UnknownOutcome, match="it may have been done all the same"):
        judge(status)


@pytest.mark.parametrize("status", UNCLEAR)
def test_it_is_asked_again_where_the_target_knows_our_key(status: int) -> None:
    with pytest.raises(Temporary, match=f"answered {status}: why") as caught:
        judge(status, repeatable=True, headers={"Retry-After": "3"})

    assert caught.value.delay == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "3600"}, LONGEST_WAIT),
        ({"Retry-After": "9" * 400}, LONGEST_WAIT),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "1.5"}, 1.0),
        ({"Retry-After": "nan"}, 1.0),
        ({"Retry-After": "\u0663"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": DATE}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2015 09:28:30 GMT", "Date": DATE}, LONGEST_WAIT),
        ({"Retry-After": "Wed, 21 Oct 2015 07:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, 1.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 -0000", "Date": DATE}, 1.0),
        ({"Retry-After": "Wed, 99 Oct 2015 07:28:30 GMT", "Date": DATE}, 1.0),
    ],
)
def test_waiting_as_long_as_the_server_says_but_a_minute_at_most(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"no such host\r\n", "no such host"),
        (b"a\r\nINFO forged line\x1b[2J", "a INFO forged line [2J"),
        (b"\xff\xfe\x00", "\ufffd\ufffd"),
        ("\u202egnihtemos".encode(), "gnihtemos"),
        (b"x" * 500, "x" * 199 + "\u2026"),
    ],
)
def test_an_excerpt_is_one_short_printable_line(body: bytes, text: str) -> None:
    assert excerpt(body) == text
    assert len(excerpt(body * 50)) <= 200
