"""What tests of several models need."""

import socket

import pytest


@pytest.fixture
def no_network(monkeypatch):
    """Opening a connection is an error."""

    def refuse(*_arguments, **_options):
        raise AssertionError("opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
