"""Notifier `log`: dry, one line whatever an alert holds, and never to a person."""

import logging
from dataclasses import replace

import pytest

from paramedic.core.words import Severity
from paramedic.notifiers.log import LogNotifier
from tests.contract.plugin_scene import MESSAGE, PAGE, Wire, at_once, tools


def test_a_page_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire()
    with caplog.at_level(logging.INFO):
        receipt = at_once(LogNotifier().send(PAGE, {}, tools(wire)))

    assert receipt == "dry"
    assert wire.asked == []
    [record] = caplog.records
    assert record.levelno == logging.INFO
    assert record.name == "paramedic.notifiers.log"
    assert record.getMessage() == (
        "page trigger P1 level 1 to sre-primary (INC-12, key INC-12/1/1): "
        "ServiceDown shop/api; not treated, because KubeAPIDown is firing"
    )


def test_it_is_dry_and_needs_no_contact() -> None:
    assert LogNotifier.dry
    assert LogNotifier.contact == ""


def test_an_alert_cannot_write_a_second_line(caplog: pytest.LogCaptureFixture) -> None:
    hostile = "x\r\n2026-05-12 INFO resolved\x1b[2J\u2028\u202e\0\ud800"
    page = replace(PAGE, severity=Severity.P0, title=hostile, text=hostile * 500, to=hostile, dedup_key=hostile)
    with caplog.at_level(logging.INFO):
        at_once(LogNotifier().send(page, {}, tools()))

    message = caplog.records[0].getMessage()
    assert message.isprintable()
    assert len(message) < 2000


def test_a_message_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire()
    with caplog.at_level(logging.INFO):
        assert at_once(LogNotifier().post(MESSAGE, {}, tools(wire))) == "dry"

    assert wire.asked == []
    assert caplog.records[0].getMessage() == (
        "message to engineering (INC-12, key INC-12/engineering): "
        "P1 · ServiceDown shop/api · responding; Restarting it; Acknowledged by nobody yet"
    )


def test_nor_can_a_message_write_a_second_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        at_once(LogNotifier().post(replace(MESSAGE, lines=("x\r\n2026-05-12 INFO resolved" * 500,)), {}, tools()))

    message = caplog.records[0].getMessage()
    assert message.isprintable()
    assert len(message) < 2500
