"""A token names a source. A wrong one names nobody, and the time it takes says nothing about which was nearly right."""

import base64
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.core.bundle import Bundle, Source
from paramedic.errors import Temporary
from paramedic.intake.auth import DEFAULT, Authenticator
from paramedic.settings import Settings
from tests.intake.bodies import PATIENT
from tests.intake.serving import bundle_of

MAIN = Source("main", token="MAIN_TOKEN")
OTHER = Source("other", token="OTHER_TOKEN")


def bearer(token: str) -> str:
    return f"Bearer {token}"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def authenticator(*sources: Source, tokens: str = "", **environment: str) -> Authenticator:
    listed = tuple(token for token in tokens.split(",") if token)
    bundle = bundle_of(*sources)
    return Authenticator(Settings(webhook_tokens=listed, environment=environment), lambda: bundle)


class TestTokens:
    def test_every_common_token_is_the_default_source(self) -> None:
        """Comma-separated: during a rotation the old one and the new one are both good."""
        known = authenticator(tokens="old,new")

        assert known.source(bearer("old")) == known.source(bearer("new")) == DEFAULT

    def test_a_source_is_known_by_its_own_token(self) -> None:
        known = authenticator(MAIN, OTHER, tokens="common", MAIN_TOKEN="m", OTHER_TOKEN="o")

        assert [known.source(bearer(token)) for token in ("m", "o", "common")] == ["main", "other", DEFAULT]

    def test_a_source_may_rotate_its_own_token(self) -> None:
        known = authenticator(MAIN, MAIN_TOKEN=" m1 , m2 ,")

        assert [known.source(bearer(token)) for token in ("m1", "m2", "")] == ["main", "main", None]

    def test_a_source_token_may_come_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("from-a-file\n")

        assert authenticator(MAIN, MAIN_TOKEN_FILE=str(tmp_path / "token")).source(bearer("from-a-file")) == "main"

    def test_a_source_prevails_where_its_token_is_a_common_one_too(self) -> None:
        assert authenticator(MAIN, tokens="same", MAIN_TOKEN="same").source(bearer("same")) == "main"

    def test_a_source_without_a_token_of_its_own_is_not_told_apart(self) -> None:
        assert authenticator(Source("plain"), tokens="t").source(bearer("t")) == DEFAULT

    @pytest.mark.parametrize("token", ["", "T", "t ", "tt", "t,u", "*", "\udcff", "ü", "x" * 10_000])
    def test_what_is_not_a_token_is_nobody(self, token: str) -> None:
        known = authenticator(tokens="t-secret,u")

        assert known.source(bearer(token)) is None
        assert known.source("Basic " + base64.b64encode(token.encode(errors="ignore")).decode()) is None

    @PATIENT
    @given(st.text(max_size=60))
    def test_nothing_but_the_token_is_the_token(self, header: str) -> None:
        known = authenticator(tokens="5b1f7f0c-long-and-random")

        assert known.source(header) is None


class TestHeaders:
    @pytest.mark.parametrize("header", ["Bearer t", "bearer t", "BEARER   t  "])
    def test_bearer(self, header: str) -> None:
        assert authenticator(tokens="t").source(header) == DEFAULT

    @pytest.mark.parametrize("user", ["", "alertmanager", "any one"])
    def test_the_password_of_basic_is_the_token_whatever_the_user(self, user: str) -> None:
        assert authenticator(tokens="t").source(basic(user, "t")) == DEFAULT

    def test_a_colon_belongs_to_the_password(self) -> None:
        assert authenticator(tokens="a:b").source(basic("user", "a:b")) == DEFAULT

    def test_a_token_need_not_be_ascii(self) -> None:
        assert authenticator(tokens="schlüssel").source(basic("u", "schlüssel")) == DEFAULT

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "t",
            "Bearer",
            "Bearer ",
            "Basic",
            "Basic ",
            "Basic t",
            "Basic dA==",
            "Basic ü",
            "Digest t",
            "Token t",
        ],
    )
    def test_anything_else_is_nobody(self, header: str | None) -> None:
        assert authenticator(tokens="t").source(header) is None


class TestWithoutTokens:
    def test_on_loopback_everything_is_the_default_source(self) -> None:
        known = authenticator()

        assert known.open
        assert known.source(None) == known.source(bearer("anything")) == DEFAULT

    def test_one_token_anywhere_closes_it(self) -> None:
        for known in (authenticator(tokens="t"), authenticator(MAIN, MAIN_TOKEN="m")):
            assert not known.open
            assert known.source(None) is None

    def test_beyond_loopback_nobody_is_let_in_without_a_token(self) -> None:
        """The settings refuse to start like this; the door is shut all the same."""
        bundle = bundle_of()

        assert Authenticator(Settings(host="0.0.0.0"), lambda: bundle).source(None) is None


class TestUnreadable:
    """A token that is declared and cannot be read is a doubt: 503, because a 401 would lose the delivery."""

    def test_the_door_does_not_open_because_the_key_is_lost(self) -> None:
        known = authenticator(MAIN)

        assert not known.open
        assert known.source(None) is None

    def test_an_unknown_token_may_be_the_lost_one(self) -> None:
        with pytest.raises(
            Temporary, match=r"^source main has no token yet: MAIN_TOKEN: is not set; set MAIN_TOKEN or MAIN_TOKEN_F"
        ):
            authenticator(MAIN, tokens="t").source(bearer("anything"))

    def test_a_list_of_nothing_is_no_token_and_opens_nothing(self) -> None:
        known = authenticator(MAIN, MAIN_TOKEN=" , ")

        assert not known.open
        with pytest.raises(Temporary, match="MAIN_TOKEN: holds no token"):
            known.source(bearer(","))

    def test_the_file_may_come_later(self, tmp_path: Path) -> None:
        """A secret that is mounted a moment after the start needs no restart."""
        known = authenticator(MAIN, tokens="t", MAIN_TOKEN_FILE=str(tmp_path / "token"))
        with pytest.raises(Temporary, match="cannot read"):
            known.source(bearer("m"))
        (tmp_path / "token").write_text("m")

        assert known.source(bearer("m")) == "main"

    def test_it_is_said_once(self, caplog: pytest.LogCaptureFixture) -> None:
        known = authenticator(MAIN, tokens="t")
        for _ in range(5):
            with pytest.raises(Temporary):
                known.source(bearer("m"))

        assert len(caplog.records) == 1

    def test_the_others_are_not_held_up(self) -> None:
        known = authenticator(MAIN, OTHER, tokens="t", OTHER_TOKEN="o")

        assert [known.source(bearer(token)) for token in ("t", "o")] == [DEFAULT, "other"]


def test_another_bundle_means_another_table() -> None:
    current: list[Bundle | None] = [None]
    settings = Settings(webhook_tokens=("t",), environment={"MAIN_TOKEN": "m", "NEW_TOKEN": "n"})
    known = Authenticator(settings, lambda: current[0])

    def sources() -> list[str | None]:
        return [known.source(bearer(token)) for token in ("t", "m", "n")]

    assert sources() == [DEFAULT, None, None]
    current[0] = bundle_of(MAIN)
    assert sources() == [DEFAULT, "main", None]
    current[0] = bundle_of(replace(MAIN, token="NEW_TOKEN"))
    assert sources() == [DEFAULT, None, "main"]


def test_all_tokens_are_compared_whichever_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    """An early end would tell an attacker the position of the token, and so which source it belongs to."""
    compared: list[int] = []
    real = hmac.compare_digest

    def counted(a: Any, b: Any) -> bool:
        compared.append(len(a))
        return real(a, b)

    monkeypatch.setattr("paramedic.intake.auth.hmac.compare_digest", counted)
    known = authenticator(MAIN, tokens="first,second", MAIN_TOKEN="m")

    for token in ("first", "second", "m", "nothing"):
        known.source(bearer(token))

    assert compared == [32] * 12, "three digests each time, whatever was sent"


def test_tokens_are_not_shown() -> None:
    known = authenticator(MAIN, tokens="common-secret", MAIN_TOKEN="own-secret")

    assert known.source(bearer("own-secret")) == "main"
    assert "secret" not in repr(vars(known))
