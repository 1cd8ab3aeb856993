"""The demo: a server on the emulated Discord, the bot as a process of its own, and a page to use it on."""
