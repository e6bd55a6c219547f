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

/* Longest expression code. A state takes at least one byte of code unless a REPEAT copies it or no edge of its graph
 * leaves it, so more than this would be refused by EDC_MAX_STATES or be mostly byte classes (33 bytes each) and edges
 * (6 bytes each). */
#define EDC_MAX_CODE_BYTES (1u << 24)

/* Most operands waiting at once: a CHOICE takes up to 65,535 from the stack, and one may be nested in the last operand
 * of another. */
#define EDC_MAX_OPERANDS (1u << 17)

/* Most NFA states before pruning, counting those that REPEAT copies. Forty intents of twenty device names each, three
 * to an array, left 30,305; 400 intents of four plain slots took 852,660. An array of ten words that must differ leaves
 * 40,703, a string of up to 1,000 characters 31,001, and there are copies of both: for each of three intents, and for
 * each optional property before. Six copies of such an array come near 2^18; 18 of them (732,656 states) were made in
 * 19 ms. At 12 bytes a state, and 24 in each matcher, the cap stands for 36 MiB, and for 45 MiB more while a program is
 * made. */
#define EDC_MAX_STATES (1u << 20)

/* Memory for lazily built states of one matcher, besides 4 bytes a token: a ready list of every token of the vocabulary
 * must fit. The forty intents above, and a free string of up to 64 characters, were decoded without filling it. */
#define EDC_DEFAULT_BUDGET_BYTES ((size_t)8 << 20)

/* Largest budget that can be asked for: places in the arena are 32-bit word numbers. */
#define EDC_MAX_BUDGET_BYTES ((size_t)1 << 30)

/* Logits whose partial sums are kept in float before they go into a double: 32 additions a lane keep the rounding of a
 * sum of positive terms below 32 * 2^-24 < 2e-6. */
#define EDC_SUM_BLOCK 1024u

#endif
