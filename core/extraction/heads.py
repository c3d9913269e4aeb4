"""What a one-pass model's heads are like; presets say it too, which are read without torch."""

from pydantic import BaseModel, ConfigDict, Field


class HeadsConfig(BaseModel):
    """Sizes of the heads: their inner width, the longest span in words, dropout in training."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    size: int = Field(gt=0)
    max_width: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
