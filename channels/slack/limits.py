"""Slack's limits as one table, in characters where the name says nothing else."""

from datetime import timedelta
from typing import Final

# What stands in a message or a modal
MESSAGE_BLOCKS: Final = 50
MODAL_BLOCKS: Final = 100
TEXT: Final = 4_000  # of the top level; chat.update refuses more
FACT_CHARS_TOTAL: Final = 10_000  # ours: Slack refuses more in all without naming a figure

# Blocks
BLOCK_ID: Final = 255
ACTION_ID: Final = 255
SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
SECTION_FIELD: Final = 2_000
HEADER: Final = 150
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25

# Elements
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
BUTTON_URL: Final = 3_000
ACCESSIBILITY_LABEL: Final = 75
OVERFLOW_OPTIONS: Final = 5
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
PLACEHOLDER: Final = 150
INPUT_LABEL: Final = 2_000
CHOICE_OPTIONS: Final = 10  # radio buttons and checkboxes; more are a menu
COMMENT: Final = 2_000  # ours; Slack would take 3,000

# Modals
VIEW_TITLE: Final = 24
PRIVATE_METADATA: Final = 3_000
VIEW_CHARS: Final = 200_000  # ours; Slack refuses a view of more than 250,000 bytes
CALLBACK_ID: Final = 255

# The manifest
APP_NAME: Final = 35
APP_DESCRIPTION: Final = 140
BOT_NAME: Final = 80
COMMAND: Final = 32
COMMAND_DESCRIPTION: Final = 2_000
MANIFEST_URL: Final = 3_000

# What arrives
BODY_BYTES: Final = 1024 * 1024
FORM_FIELDS: Final = 64
COMMAND_TEXT: Final = 40_000
SIGNATURE_AGE: Final = timedelta(seconds=300)
REPLAY_KEPT: Final = timedelta(minutes=15)
ANSWER_WITHIN: Final = timedelta(seconds=1.5)  # of the three seconds Slack waits
