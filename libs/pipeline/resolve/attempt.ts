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
