"""The bot as a process that counts what it asks of its database.

`python -m bench.crowd.counted COUNTS API CDN COMMAND…`: COUNTS is the file with the counts.
"""

import gc
import sys
from pathlib import Path

if __name__ == "__main__":
    gc.disable()  # until all is imported, as `bot.__main__` does

    from bench.crowd.counts import count_into
    from bot.__main__ import main
    from sandbox.discord.launch import point_to

    count_into(Path(sys.argv[1]))
    point_to(sys.argv[2], sys.argv[3])
    sys.exit(main(sys.argv[4:]))
