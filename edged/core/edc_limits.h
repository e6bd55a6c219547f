/* Every cap of the core, with its reason. */
#ifndef EDC_LIMITS_H
#define EDC_LIMITS_H

/* Longest token that can be legal. SmolLM2's longest takes 81 bytes. It bounds the depth of the trie, and so the
 * explicit stack of a walk. */
#define EDC_MAX_TOKEN_BYTES 256u

/* Most tokens: eight times the largest vocabulary in use (262,144), and far below INT32_MAX. */
#define EDC_MAX_TOKENS (1u << 21)

/* Most bytes of all tokens together: Gemma's 262,144 tokens take 2 MB. Keeps every node number below 2^27. */
#define EDC_MAX_VOCAB_BYTES (1u << 26)

/* Longest expression code. But for digits, ends of words, what a REPEAT copies and what no edge of its graph leaves, a
 * state takes at least one byte of code, so more than this would be refused by EDC_MAX_STATES or be mostly byte classes
 * (33 bytes each) and edges (6 bytes each). */
#define EDC_MAX_CODE_BYTES (1u << 24)

/* Most operands waiting at once: a CHOICE takes up to 65,535 from the stack, and one may be nested in the last operand
 * of another. */
#define EDC_MAX_OPERANDS (1u << 17)

/* Most NFA states before pruning, counting those that REPEAT copies. Forty intents of twenty device names each, three
 * to an array, left 30,305; 400 intents of four plain slots took 852,660. An array of ten words that must differ leaves
 * 40,703, a string of up to 1,000 characters 31,001, and there are copies of both: for each of three intents, and for
 * each optional property before. Six copies of such an array come near 2^18; 18 of them (732,656 states) were made in
 * 19 ms. At 8 bytes a state, and 8 in each matcher, the cap stands for 16 MiB, and for 25 MiB more while a program is
 * made. */
#define EDC_MAX_STATES (1u << 20)

/* Memory for lazily built states of one matcher, besides 4 bytes a token: a ready list of every token of the vocabulary
 * must fit. The forty intents above, and a free string of up to 64 characters, were decoded without filling it. */
#define EDC_DEFAULT_BUDGET_BYTES ((size_t)8 << 20)

/* Largest budget that can be asked for: places in the arena are 32-bit word numbers. */
#define EDC_MAX_BUDGET_BYTES ((size_t)1 << 30)

/* Longest list whose tokens are looked at for canonical ways; the tokens of a longer one, such as inside free text
 * (47,000 of SmolLM2's), are all legal. A slot with a choice of 200 names takes about as many. */
#define EDC_MAX_FILTERED 1024u

/* Tokens that one look ahead goes at most: what is no canonical way ends after two or three, as a word does. */
#define EDC_MAX_AHEAD 64u

/* Tokens that the looks ahead of one list may try, so that a catalogue made for it cannot stop the daemon: a new pair
 * costs one question to the tokenizer, 20 us. */
#define EDC_MAX_TRIES (1u << 14)

/* Places for nodes of the look ahead in one matcher, a power of two, at 20 bytes each. */
#define EDC_NODE_SLOTS (1u << 13)

/* Tokens of a row that are kept left of a pair: two characters of UTF-8, at up to four tokens of a byte each. Behind a
 * longer row tokens are legal byte by byte. */
#define EDC_ROW_TOKENS 8u

/* Places for rows, a power of two, at 36 bytes each. Names in Korean of 100 devices take some 1,000; behind a row that
 * finds no room, tokens are legal byte by byte. */
#define EDC_ROW_SLOTS (1u << 14)

/* Places for pairs that the tokenizer was asked about, a power of two, at 8 bytes each. */
#define EDC_PAIR_SLOTS ((size_t)1 << 16)

/* Logits whose partial sums are kept in float before they go into a double: 32 additions a lane keep the rounding of a
 * sum of positive terms below 32 * 2^-24 < 2e-6. */
#define EDC_SUM_BLOCK 1024u

#endif
