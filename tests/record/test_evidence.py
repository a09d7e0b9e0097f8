"""Evidence is kept whole, once, under its digest; what is too long is cut and says so."""

from hashlib import sha256

from paramedic.record.evidence import LARGEST, keep


def test_a_piece_is_kept_under_its_digest() -> None:
    (kept,) = keep([("pods", b"api-1 Running")])

    assert kept.body == b"api-1 Running"
    assert (kept.reference.name, kept.reference.size) == ("pods", 13)
    assert kept.reference.digest == sha256(b"api-1 Running").hexdigest()


def test_equal_pieces_have_one_digest_whatever_they_are_called() -> None:
    one, other = keep([("before", b"same"), ("after", b"same")])

    assert one.reference.digest == other.reference.digest
    assert one.reference.name != other.reference.name


def test_a_long_piece_is_cut_and_its_name_says_so() -> None:
    whole = b"x" * (LARGEST + 1)

    (kept,) = keep([("logs", whole)])

    assert len(kept.body) == LARGEST
    assert kept.reference.name == f"logs (first {LARGEST} of {LARGEST + 1} bytes)"
    assert kept.reference.digest == sha256(kept.body).hexdigest()
    assert keep([("logs", whole[:-1])])[0].reference.name == "logs"


def test_pieces_keep_their_order_and_none_is_none() -> None:
    assert [kept.reference.name for kept in keep([("b", b"1"), ("a", b"2")])] == ["b", "a"]
    assert keep([]) == ()


def test_an_empty_piece_is_evidence_too() -> None:
    """That there was nothing to see is worth knowing."""
    (kept,) = keep([("events", b"")])

    assert (kept.reference.size, kept.reference.digest) == (0, sha256(b"").hexdigest())
