"""What goes out in headers comes back nowhere, however a target writes it."""

import json
from urllib.parse import quote

import pytest

from engine.secrets import Secret, Secrets

VALUE = 'hush/"hush"+hush='


@pytest.mark.parametrize(
    "told",
    [
        VALUE,
        json.dumps({"authorization": f"Bearer {VALUE}"}),
        json.dumps(VALUE).replace("/", "\\/"),
        f"https://bank.example.com/?key={quote(VALUE)}",
        f"https://bank.example.com/?key={quote(VALUE, safe='')}",
    ],
)
def test_a_secret_is_hidden_however_it_is_written(told: str) -> None:
    secrets = Secrets({"BANK": Secret(value=VALUE, hosts=("bank.example.com",))})

    found = secrets.hidden(told)

    assert "hush" not in found
    assert "[secret]" in found
