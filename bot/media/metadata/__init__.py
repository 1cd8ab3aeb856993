"""Remove metadata from photos without re-encoding them.

Location, camera, serial numbers, XMP, comments, thumbnails and trailing data go. Orientation, colour profile
and marks of AI stay. One module for each container; `strip` picks the right one.
"""

from bot.media.metadata.marks import digital_source_in, xmp_packet
from bot.media.metadata.pieces import BrokenStructure
from bot.media.metadata.strip import strip_metadata

__all__ = ["BrokenStructure", "digital_source_in", "strip_metadata", "xmp_packet"]
