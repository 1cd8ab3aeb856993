"""The pieces that every panel, button and form is made of."""
