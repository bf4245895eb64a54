/** TCP that nobody accepted: scans, and clients of a server that is down. Told from the flags of each direction (RFC 9293 §3.1). */

const SYN = 2
const RST = 4
const ACK = 16

/**
 * True when the client never went past its SYN and the server sent nothing, RST, or only its half of a handshake. Flags of 0 are unknown
 * (nothing seen in that direction, or an exporter that does not tell): they are no attempt, unless all the server said was RST.
 */
export const isAttempt = (protocol: number, flagsToServer: number, flagsToClient: number): boolean => {
  if (protocol !== 6) return false
  if (flagsToServer === 0) return (flagsToClient & RST) !== 0 && (flagsToClient & ~(RST | ACK)) === 0
  if ((flagsToServer & SYN) === 0 || (flagsToServer & ACK) !== 0) return false
  return (flagsToClient & RST) !== 0 || (flagsToClient & ~(SYN | ACK)) === 0
}

/** A SYN-ACK that nobody confirms is sent so many times (RFC 6298 §5 doubles the pause; systems give up after five more). */
const mostHalves = 6

/**
 * True for what is left of an attempt whose client told of it in another slice: a half-open scan's SYN ends with its RST at once, the
 * server's SYN-ACK when the exporter finds it idle. SYN and ACK are then all the server said, in no more packets than it repeats them, or
 * the client sent nothing but RST. `packets` of the fullest record, which no sampling has thinned out. What is called so of a connection
 * that was accepted, and cut by a timeout before its server said anything, are these packets; its next record tells.
 */
export const isRestOfAttempt = (protocol: number, flagsToServer: number, flagsToClient: number, packets: number): boolean => {
  if (protocol !== 6 || packets > mostHalves) return false
  if ((flagsToServer & ~RST) !== 0 || (flagsToServer | flagsToClient) === 0) return false
  return flagsToClient === 0 || flagsToClient === (SYN | ACK)
}
