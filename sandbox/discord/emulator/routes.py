"""All requests that the emulator answers, with the names by which they are limited and spoilt."""

from collections.abc import Sequence

from sandbox.discord.emulator.account import Account
from sandbox.discord.emulator.answers import Answers
from sandbox.discord.emulator.channels import Channels
from sandbox.discord.emulator.faults import FaultHandler


def routes(
    about: Account, channels: Channels, answers: Answers
) -> Sequence[tuple[str, str, str, FaultHandler]]:
    """Return method, path, name and handler of each."""
    answer, message = "/webhooks/{application}/{token}", "/channels/{channel}/messages/{message}"
    own_commands = "/applications/{application}/guilds/{guild}/commands"
    reaction = f"{message}/reactions/{{emoji}}/@me"
    return (
        ("GET", "/users/@me", "me", about.me),
        ("GET", "/users/@me/guilds", "guilds", about.list_guilds),
        ("GET", "/users/{user}", "user", about.show_user),
        ("GET", "/oauth2/applications/@me", "application", about.application),
        ("PUT", "/applications/{application}/commands", "commands", about.put_commands),
        ("GET", own_commands, "commands", about.guild_commands),
        ("PUT", own_commands, "commands", about.guild_commands),
        ("GET", "/gateway/bot", "gateway", about.gateway_address),
        ("GET", "/guilds/{guild}", "guild", about.show_guild),
        ("GET", "/guilds/{guild}/members/{user}", "member", about.show_member),
        ("POST", "/interactions/{interaction}/{token}/callback", "callback", answers.callback),
        ("POST", answer, "followup", answers.followup),
        ("GET", f"{answer}/messages/{{message}}", "original", answers.look_at),
        ("PATCH", f"{answer}/messages/{{message}}", "answer", answers.edit),
        ("DELETE", f"{answer}/messages/{{message}}", "answer", answers.delete),
        ("POST", "/users/@me/channels", "dm", channels.open_dm),
        ("GET", "/channels/{channel}", "channel", channels.show),
        ("PATCH", "/channels/{channel}", "channel", channels.change),
        ("POST", "/channels/{channel}/messages", "send", channels.send),
        ("GET", "/channels/{channel}/messages", "history", channels.history),
        ("GET", message, "message", channels.look_at),
        ("PATCH", message, "edit", channels.edit),
        ("DELETE", message, "delete", channels.delete),
        ("GET", f"{message}/reactions/{{emoji}}", "reactions", channels.who_reacted),
        ("PUT", reaction, "react", channels.react),
        ("DELETE", reaction, "unreact", channels.unreact),
        ("POST", "/channels/{channel}/threads", "thread", channels.start_thread),
        ("POST", f"{message}/threads", "thread", channels.start_thread),
    )
