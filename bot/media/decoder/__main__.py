"""Start the decoder by its path, isolated: neither the environment nor the current folder adds imports."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from bot.media.decoder.serve import serve

if __name__ == "__main__":
    serve()
