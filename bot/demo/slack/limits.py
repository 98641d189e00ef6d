"""Slack's documented limits, as one table; characters unless the name says otherwise."""

from datetime import timedelta
from typing import Final

# Messages and views
MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
VIEW_BYTES: Final = 250_000
VIEWS_STACKED: Final = 3
TEXT_POSTED: Final = 40_000  # longer is cut
TEXT_UPDATED: Final = 4_000  # longer is refused
BLOCKS_BYTES: Final = 100_000
MARKDOWN: Final = 12_000
TITLE: Final = 24
PRIVATE_METADATA: Final = 3_000
EXTERNAL_ID: Final = 255
CALLBACK_ID: Final = 255
METADATA_EVENT: Final = 255

# Blocks
BLOCK_ID: Final = 255
ACTION_ID: Final = 255
TEXT_OBJECT: Final = 3_000
SECTION_FIELDS: Final = 10
SECTION_FIELD: Final = 2_000
HEADER: Final = 150
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25
LABEL: Final = 2_000
ALERT: Final = 200
IMAGE_URL: Final = 3_000
ALT_TEXT: Final = 2_000
IMAGE_TITLE: Final = 2_000

# Elements
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
BUTTON_URL: Final = 3_000
ACCESSIBILITY_LABEL: Final = 75
PLACEHOLDER: Final = 150
INPUT_TEXT: Final = 3_000
SELECT_OPTIONS: Final = 100
CHOICE_OPTIONS: Final = 10
OVERFLOW_OPTIONS: Final = 5
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
OPTION_URL: Final = 3_000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

# Time
ACK_WITHIN: Final = timedelta(seconds=3)
TRIGGER_LIVES: Final = timedelta(seconds=3)
RESPONSE_URL_LIVES: Final = timedelta(minutes=30)
RESPONSE_URL_USES: Final = 5

# Calls a minute, by Slack's tiers
TIER_1: Final = 1
TIER_2: Final = 20
TIER_3: Final = 50
TIER_4: Final = 100
METHOD_TIERS: Final = {
    "apps.connections.open": TIER_1,
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.list": TIER_2,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "users.info": TIER_4,
    "users.lookupByEmail": TIER_3,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
}
POSTS_PER_SECOND: Final = 1.0  # chat.postMessage, each channel
POSTS_BURST: Final = 10
