"""Settings: read once, every secret also from a file, and each fault names the variable and what would be right."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.core.words import Mode
from paramedic.errors import Fault
from paramedic.settings import Settings, read_settings
from tests.intake.bodies import PATIENT

SECRETS = {
    "PARAMEDIC_DATABASE_URL": "database_url",
    "PARAMEDIC_WEBHOOK_TOKEN": "webhook_tokens",
    "PARAMEDIC_TOKEN": "token",
}


def test_without_an_environment_it_is_a_service_for_one_machine() -> None:
    settings = read_settings({})

    assert settings == Settings()
    assert (settings.host, settings.port, settings.loopback) == ("127.0.0.1", 8080, True)
    assert (settings.data, settings.rules, settings.playbooks) == (Path(".paramedic"), Path("rules"), Path("playbooks"))
    assert settings.mode is Mode.AUTO
    assert settings.database_url == ""
    assert settings.webhook_tokens == ()
    assert settings.tokens_file is None


def test_every_setting_is_read_from_its_name() -> None:
    settings = read_settings(
        {
            "PARAMEDIC_LISTEN": "0.0.0.0:9999",
            "PARAMEDIC_DATABASE_URL": "postgresql://db/p",
            "PARAMEDIC_DATA": "/srv/p",
            "PARAMEDIC_RULES": "/etc/p/rules",
            "PARAMEDIC_PLAYBOOKS": "/etc/p/playbooks",
            "PARAMEDIC_MODE": "shadow",
            "PARAMEDIC_GRACE": "45s",
            "PARAMEDIC_WEBHOOK_TOKEN": "a",
            "PARAMEDIC_TOKENS_FILE": "/etc/p/tokens",
            "PARAMEDIC_PUBLIC_URL": "https://p.example/",
            "PARAMEDIC_URL": "https://p.example/",
            "PARAMEDIC_TOKEN": "mine",
        }
    )

    assert (settings.host, settings.port) == ("0.0.0.0", 9999)
    assert settings.database_url == "postgresql://db/p"
    assert settings.data == Path("/srv/p")
    assert (settings.rules, settings.playbooks) == (Path("/etc/p/rules"), Path("/etc/p/playbooks"))
    assert settings.mode is Mode.SHADOW
    assert settings.grace == 45.0
    assert settings.webhook_tokens == ("a",)
    assert settings.tokens_file == Path("/etc/p/tokens")
    assert settings.public_url == settings.url == "https://p.example", "links are put together with a slash"
    assert settings.token == "mine"


@pytest.mark.parametrize("value", ["", "s", "-1s", "1.5s", "20m", "3601s", "٣s", "nan"])
def test_a_grace_is_whole_seconds_and_an_hour_at_most(value: str) -> None:
    assert read_settings({"PARAMEDIC_GRACE": "0"}).grace == 0.0
    assert read_settings({"PARAMEDIC_GRACE": "3600s"}).grace == 3600.0
    with pytest.raises(Fault, match=f'PARAMEDIC_GRACE: "{value}" is not a time of at most an hour in seconds'):
        read_settings({"PARAMEDIC_GRACE": value})


class TestListen:
    @pytest.mark.parametrize(
        ("value", "host", "port"),
        [
            ("127.0.0.1:0", "127.0.0.1", 0),
            ("localhost:8080", "localhost", 8080),
            ("[::1]:8080", "::1", 8080),
            ("127.9.9.9:65535", "127.9.9.9", 65535),
        ],
    )
    def test_this_machine_needs_no_token(self, value: str, host: str, port: int) -> None:
        settings = read_settings({"PARAMEDIC_LISTEN": value})

        assert (settings.host, settings.port, settings.loopback) == (host, port, True)

    @pytest.mark.parametrize(
        "host", ["0.0.0.0", "[::]", "10.0.0.7", "paramedic.example", "localhost.example", "127.0.0.1.example", "*"]
    )
    def test_what_others_can_reach_needs_one(self, host: str) -> None:
        """Refuses to listen beyond loopback without a token: anyone could make it act."""
        bare = host.strip("[]")
        with pytest.raises(Fault) as caught:
            read_settings({"PARAMEDIC_LISTEN": f"{host}:8080"})

        assert str(caught.value) == (
            f"PARAMEDIC_LISTEN: {bare} can be reached from other machines, and no PARAMEDIC_WEBHOOK_TOKEN is set; "
            "set PARAMEDIC_WEBHOOK_TOKEN, or listen on 127.0.0.1"
        )
        assert not read_settings({"PARAMEDIC_LISTEN": f"{host}:8080", "PARAMEDIC_WEBHOOK_TOKEN": "t"}).loopback

    @pytest.mark.parametrize("token", ["", " ", ",", " , ,"])
    def test_an_empty_token_is_none(self, token: str) -> None:
        with pytest.raises(Fault, match="no PARAMEDIC_WEBHOOK_TOKEN is set"):
            read_settings({"PARAMEDIC_LISTEN": "0.0.0.0:8080", "PARAMEDIC_WEBHOOK_TOKEN": token})

    @pytest.mark.parametrize(
        "value", ["", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "h:-1", "h:²"]
    )
    def test_what_is_no_address_is_a_fault(self, value: str) -> None:
        with pytest.raises(Fault) as caught:
            read_settings({"PARAMEDIC_LISTEN": value})

        assert str(caught.value) == f'PARAMEDIC_LISTEN: "{value}" is not HOST:PORT; for example 127.0.0.1:8080'

    @PATIENT
    @given(st.text(max_size=20))
    def test_nothing_else_is_raised(self, value: str) -> None:
        try:
            settings = read_settings({"PARAMEDIC_LISTEN": value})
        except Fault:
            return
        assert settings.loopback
        assert 0 <= settings.port <= 65535


class TestMode:
    @pytest.mark.parametrize("mode", list(Mode))
    def test_every_mode_may_be_the_highest(self, mode: Mode) -> None:
        assert read_settings({"PARAMEDIC_MODE": mode.value}).mode is mode

    @pytest.mark.parametrize("value", ["", "Auto", "automatic", "on"])
    def test_another_word_is_a_fault_that_says_the_right_ones(self, value: str) -> None:
        with pytest.raises(Fault) as caught:
            read_settings({"PARAMEDIC_MODE": value})

        assert str(caught.value) == (
            f'PARAMEDIC_MODE: "{value}" is not a mode; one of freeze, off, shadow, approve, auto'
        )


class TestSecrets:
    def test_tokens_are_a_list_so_that_they_can_be_rotated(self) -> None:
        assert read_settings({"PARAMEDIC_WEBHOOK_TOKEN": " old, new ,"}).webhook_tokens == ("old", "new")

    @pytest.mark.parametrize("name", SECRETS)
    def test_each_may_come_from_a_file(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("s3cret\n")
        settings = read_settings({f"{name}_FILE": str(tmp_path / "secret")})

        assert getattr(settings, SECRETS[name]) in ("s3cret", ("s3cret",))

    @pytest.mark.parametrize("name", SECRETS)
    def test_two_ways_at_once_are_a_fault(self, name: str) -> None:
        with pytest.raises(Fault) as caught:
            read_settings({name: "a", f"{name}_FILE": "b"})

        assert str(caught.value) == f"{name}: {name} and {name}_FILE are both set; set one of them"

    def test_a_file_that_is_not_there_is_a_fault(self, tmp_path: Path) -> None:
        path = tmp_path / "missing"
        with pytest.raises(Fault) as caught:
            read_settings({"PARAMEDIC_TOKEN_FILE": str(path)})

        assert str(caught.value) == (
            f"PARAMEDIC_TOKEN_FILE: cannot read {path}: No such file or directory; name a readable file"
        )

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(Fault, match=r"^PARAMEDIC_TOKEN_FILE: cannot read .*: Is a directory"):
            read_settings({"PARAMEDIC_TOKEN_FILE": str(tmp_path)})

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80"])
    def test_a_file_that_is_no_text_is_a_fault(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(content)

        with pytest.raises(Fault, match=r"^PARAMEDIC_TOKEN_FILE: .* holds no text; a file with the secret in UTF-8$"):
            read_settings({"PARAMEDIC_TOKEN_FILE": str(tmp_path / "secret")})

    def test_a_path_that_no_file_can_have_is_a_fault(self) -> None:
        with pytest.raises(Fault, match=r"^PARAMEDIC_TOKEN_FILE: "):
            read_settings({"PARAMEDIC_TOKEN_FILE": "a\0b"})

    def test_any_name_may_be_asked_for_later(self, tmp_path: Path) -> None:
        """The catalog names settings: a source's token, an endpoint's."""
        (tmp_path / "hook").write_text("from a file")
        settings = read_settings({"MAIN_TOKEN": "m", "HOOK_TOKEN_FILE": str(tmp_path / "hook")})

        assert settings.secret("MAIN_TOKEN") == "m"
        assert settings.secret("HOOK_TOKEN") == "from a file"

    def test_what_may_be_missing_is_empty_and_what_cannot_be_read_is_not(self, tmp_path: Path) -> None:
        """A notifier without credentials is dry; one whose credentials cannot be read is broken."""
        (tmp_path / "token").write_text("from a file\n")
        files = {"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token"), "PAGERDUTY_ROUTING_KEY_FILE": str(tmp_path / "none")}
        settings = read_settings({"SLACK_API_URL": "http://127.0.0.1:9", **files})

        assert settings.value("SLACK_API_URL") == "http://127.0.0.1:9"
        assert settings.value("SLACK_BOT_TOKEN") == "from a file"
        assert settings.value("SMTP_URL") == ""
        with pytest.raises(Fault, match="PAGERDUTY_ROUTING_KEY_FILE: cannot read"):
            settings.value("PAGERDUTY_ROUTING_KEY")

    @pytest.mark.parametrize("environment", [{}, {"MAIN_TOKEN": ""}])
    def test_one_that_is_not_set_is_a_fault(self, environment: dict[str, str]) -> None:
        with pytest.raises(Fault) as caught:
            read_settings(environment).secret("MAIN_TOKEN")

        assert str(caught.value) == "MAIN_TOKEN: is not set; set MAIN_TOKEN or MAIN_TOKEN_FILE"

    def test_none_of_them_is_shown(self) -> None:
        shown = repr(read_settings({**dict.fromkeys(SECRETS, "s3cret"), "HOOK_TOKEN": "s3cret"}))

        assert "s3cret" not in shown
        assert "127.0.0.1" in shown

    def test_the_environment_may_change_behind_it(self) -> None:
        environment = {"MAIN_TOKEN": "m"}
        settings = read_settings(environment)
        environment.clear()

        assert settings.secret("MAIN_TOKEN") == "m"


@pytest.mark.parametrize("proxy", ["10.0.0.5", "10.0.0.5, 10.1.0.0/24", "fd00::/64"])
def test_the_proxy_in_front_and_its_header_go_together(proxy: str) -> None:
    both = {"PARAMEDIC_TRUSTED_PROXY": proxy, "PARAMEDIC_USER_HEADER": "X-Auth-User"}
    settings = read_settings(both)

    assert (len(settings.trusted_proxy), settings.user_header) == (proxy.count(",") + 1, "X-Auth-User")
    assert read_settings({}).trusted_proxy == ()
    for name, value in both.items():
        with pytest.raises(Fault, match="is not set, and the other of the two is"):
            read_settings({name: value})


@pytest.mark.parametrize("proxy", ["10.0.0.300", "proxy.example.org", "10.0.0.1/24", "0.0.0.0/0", "::/0"])
def test_a_proxy_is_named_by_its_addresses_and_is_not_everybody(proxy: str) -> None:
    with pytest.raises(Fault, match="PARAMEDIC_TRUSTED_PROXY"):
        read_settings({"PARAMEDIC_TRUSTED_PROXY": proxy, "PARAMEDIC_USER_HEADER": "X-Auth-User"})


@pytest.mark.parametrize("header", ["X Auth", "X:Auth", "Authorization", "cookie", "X-Forwarded-For", "é", "-"])
def test_a_header_that_could_be_anybodys_is_refused(header: str) -> None:
    with pytest.raises(Fault, match="PARAMEDIC_USER_HEADER"):
        read_settings({"PARAMEDIC_TRUSTED_PROXY": "10.0.0.5", "PARAMEDIC_USER_HEADER": header})
