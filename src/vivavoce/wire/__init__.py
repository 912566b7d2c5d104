"""What travels: typed events, items and configs of the OpenAI Realtime protocol, and their JSON.

`item` and `config` are the nouns, `event` the sentences, `codec` reads and writes them. Nothing here knows what a
conversation may do next; that is `session`.
"""
