"""The errors that a request can raise when no answer came, or not all of it."""

import aiohttp

NO_CONNECTION = (aiohttp.ClientError, OSError)  # a TimeoutError is an OSError too

# Where a file is read or written in the same block: another OSError would be the file's.
NO_TRANSFER = (aiohttp.ClientError, TimeoutError)
