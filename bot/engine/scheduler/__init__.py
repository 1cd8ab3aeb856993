"""Pure decisions about one lane: what to send next, when to poll, how long jobs take."""
