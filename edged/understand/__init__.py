"""Words -> intents: the language model under the grammar."""
