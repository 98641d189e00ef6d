"""What every part of a server's answer is, where it is drawn in a terminal."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Something that the server answered."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
