"""Remove metadata from photos without re-encoding them.

Location, camera, serial numbers, XMP, comments, thumbnails and trailing data go. Orientation, colour profile
and marks of AI stay. One module for each container; `strip` picks the right one.
"""

from bot.media.metadata.ai_marks import (
    MADE_BY_AI,
    digital_source_in,
    is_by_ai,
    with_digital_source,
    xmp_packet,
)
from bot.media.metadata.pieces import BrokenStructure
from bot.media.metadata.strip import strip_metadata
