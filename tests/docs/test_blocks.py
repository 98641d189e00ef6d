"""Every block of code on a page is what it says: Python compiles, configurations are accepted, JSON is JSON."""

import json
import subprocess
from io import StringIO

import pytest
from dotenv import dotenv_values

from bot.config.reading import parse
from bot.settings import Settings, variable
from engine.runtime.definitions.offered import Offered
from engine.runtime.definitions.programs import compiled
from tests.docs.pages import Block, blocks, within

LANGUAGES = {"python", "sh", "toml", "json", "ini", "text", "nginx", "mermaid", "yaml"}
NOTES = {"background", "drive", "file", "given a stuck run", "given an approval at the webhook",
         "meanwhile ana and bo approve", "meanwhile ana and bo reject", "not run", "serve"}  # fmt: skip

# A block shows what matters on its page; the rest of a whole file is this.
AROUND = {
    "people": '[people.ana]\nname = "Ana Diaz"\nemail = "ana@example.com"\n'
    '[people.bo]\nname = "Bo Larsen"\nemail = "bo@example.com"\n'
    '[people.chen]\nname = "Chen Wei"\n',
    "webhooks": '[webhooks.books]\nurl = "https://books.example.com/"\n'
    'secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="]\n',
}


def parametrized(found: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", found, ids=lambda block: block.place)


@parametrized(list(blocks()))
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language in LANGUAGES
    assert {note.partition(":")[0] for note in block.notes} <= NOTES


@parametrized(within("python"))
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec", dont_inherit=True)


@parametrized(within("sh"))
def test_shell_is_shell(block: Block) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=block.text, text=True, capture_output=True, check=False
    )

    assert checked.stderr == ""


@parametrized(within("toml"))
def test_a_configuration_is_accepted(block: Block) -> None:
    around = [text for name, text in AROUND.items() if f"[{name}." not in block.text]

    _, problems = parse("\n".join([block.text, *around]).encode())

    assert problems == ()


@parametrized(within("json"))
def test_json_is_json(block: Block) -> None:
    assert isinstance(json.loads(block.text), dict)


@parametrized(within("yaml"))
def test_a_written_workflow_is_read(block: Block) -> None:
    assert compiled(block.text, Offered(authored={})).version


@parametrized(within("ini"))
def test_an_environment_names_settings_and_is_accepted(block: Block) -> None:
    values = dotenv_values(stream=StringIO(block.text))
    by_variable = {variable(field): field for field in Settings.model_fields}

    settings = Settings(None, **{by_variable[key]: value for key, value in values.items()})

    assert settings.slack() or settings.mail() or settings.base_url
