"""All planted defects, by kind."""

from typing import Final

from tests.planted.guards import GUARDING, KEEPING_OUT, RECORDING
from tests.planted.inside import BINDING, DECIDING, DRIVING

DEFECTS: Final = (*DECIDING, *BINDING, *DRIVING, *GUARDING, *RECORDING, *KEEPING_OUT)
