"""The vocabulary of 2024, which older guides teach and many applications still send, as a translation.

The beta named some events otherwise and laid a session's config flat. `config`, `item` and `event` are its types,
`inward` makes of them what GA says, `outward` the reverse; `Interpreter` does both for one party. All of it is pure,
and nothing beneath or beside it knows that there ever was a beta.

The source of names and shapes is `openai.types.beta.realtime` of the openai package 3.52, which tests hold this to.
"""
