/** Where things lie in a conversation's slot of 128 bytes: offsets in 32-bit words, and in 64-bit words where marked. */

export const SLOT_BYTES_SHIFT = 7
export const SLOT_WORDS_SHIFT = 5

// First cache line: the key, and what every record changes.
export const A = 0
export const B = 1
/** Service port when the other end is folded, else `aPort << 16 | bPort`. */
export const PORTS = 2
/** Window, exporter, protocol, family and folded. */
export const META = 3
/** Two words: a→b, b→a. */
export const RECORDS = 4
/** ms from the start of the window; signed, 24 days either way. */
export const FIRST = 6
export const LAST = 7
/** 64-bit: octets and packets a→b, then b→a, so that both of a record are added at once. Scaled by sampling. */
export const BYTES = 4
export const PACKETS = 5
export const BACK = 2

// Second cache line: written when there is sampling, flags or a start time.
/** 64-bit: scaled minus as exported, so that unsampled records need not touch it. */
export const EXCESS_BYTES = 8
export const EXCESS_PACKETS = 9
export const SAMPLING = 20
/** TCP flags a→b in bits 0–7, b→a in bits 8–15. */
export const FLAGS = 21
/** Port of `a`: first seen in the low half, last seen in the high half. */
export const PORTS_SEEN = 22
export const A_PORTS = 23
export const SYN = 24
export const SYN_ACK = 26
export const BEGAN = 28
/**
 * Start of the last record in the upper 30 bits, in the lower two 1 + its direction, while no record of the other direction has met it;
 * else 0. Compared with starts within seconds only, so that six days of ms are enough.
 */
export const LAST_BEGAN = 30
/** Number + 1 of the entry in the egress table (egress.ts); 0 none. */
export const EGRESS = 31

export const FAMILY6_BIT = 2
export const PROTOCOL_SHIFT = 4
export const EXPORTER_SHIFT = 12
export const EXPORTER_MASK = 0xfff
