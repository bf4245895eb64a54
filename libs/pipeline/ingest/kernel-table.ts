/** Pure part of UdpListener.ts: what Linux says of a UDP socket in /proc/net/udp and udp6. */

export interface KernelReading {
  /** Octets that wait in the receive queue. */
  readonly queued: number
  /** Datagrams dropped because the queue was full. */
  readonly drops: number
}

/**
 * The table's row of the socket with this inode; without one, the rows of the port added up. Undefined when there is none (another
 * system, another network namespace).
 */
export const parseKernelTable = (text: string, port: number, inode: string | undefined): KernelReading | undefined => {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0")
  let found = false
  let queued = 0
  let drops = 0
  for (const line of text.split("\n")) {
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ref pointer drops
    const cells = line.trim().split(/\s+/)
    if (cells.length < 13 || !cells[1]!.endsWith(`:${wanted}`)) continue
    if (inode !== undefined && cells[9] !== inode) continue
    found = true
    queued += Number.parseInt(cells[4]!.split(":")[1] ?? "0", 16)
    drops += Number(cells[12])
  }
  return found ? { queued, drops } : undefined
}
