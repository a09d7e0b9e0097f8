"""Moments as a rehearsal file writes them, and as its failures print them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from paramedic.rehearse.moments import After, Moment, say_moment

MOMENT: TypeAdapter[float] = TypeAdapter(Moment)
AFTER: TypeAdapter[float] = TypeAdapter(After)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("0s", 0), ("90s", 90), ("2h30m", 9000), ("-10m", -600), (0, 0), (-5, -5), (1.5, 1.5), ("100ms", 0.1)],
)
def test_what_a_moment_may_be(written: object, seconds: float) -> None:
    assert MOMENT.validate_python(written) == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["", "-", "--5m", "5", "soon", "1m-", True, None, [], 1e18, float("nan")])
def test_what_is_no_moment_says_what_would_be_one(written: object) -> None:
    with pytest.raises(ValidationError, match="write for example 0s"):
        MOMENT.validate_python(written)


def test_nothing_happens_before_the_beginning() -> None:
    assert AFTER.validate_python("5m") == 300
    with pytest.raises(ValidationError, match="nothing happens before 0s"):
        AFTER.validate_python("-1s")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "00:00:00"), (90.9, "00:01:30"), (-600, "-00:10:00"), (86_400 * 17 + 3_661, "17d 01:01:01")],
)
def test_moments_in_words(seconds: float, said: str) -> None:
    assert say_moment(seconds) == said
