/**
 * Services that open a second connection: whoever serves the first serves the second, whichever of them sent its SYN (FTP's active mode
 * has the server call back, RFC 959 §3.2; TFTP answers from a port of its own, RFC 1350 §4).
 */

export interface Companion {
  readonly protocol: number
  /** Port of the first connection. */
  readonly control: number
  /** The service that the second connections are drawn as; -1: each keeps its port, which serves others as well. */
  readonly data: number
  /** The second connection has at least this port at the server's end, or `data`. */
  readonly from: number
}

/** Passive FTP takes any port above 1023; dynamic RPC those above 49151 (RFC 6335 §6). */
export const companions: ReadonlyArray<Companion> = [
  { protocol: 6, control: 21, data: 20, from: 1024 },
  { protocol: 17, control: 69, data: 69, from: 1024 },
  { protocol: 6, control: 135, data: -1, from: 49_152 }
]

/** A port that carries nothing but second connections: whoever has it serves, also before the first one was seen. */
export const isData = (protocol: number, port: number): boolean =>
  companions.some((one) => one.protocol === protocol && one.data === port && one.control !== port)

export const isControl = (protocol: number, port: number): boolean =>
  companions.some((one) => one.protocol === protocol && one.control === port)
