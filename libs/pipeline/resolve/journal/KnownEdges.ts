/**
 * Which dependency an edge is, remembered from when it was last looked up: `(client, server, protocol, port)` → dependency. What is not in
 * here is looked up in the database. Forgotten whole when it is full; a write that fails clears it, since what it learned may not be there.
 */
import { TupleTable } from "../collapse/TupleTable.ts"

export interface KnownEdges {
  /** Its number here, or -1; good until something is learned. */
  readonly addressOf: (address: string) => number
  /** `key` of KnownRows, or 0 when it is not known. Ends as `addressOf` has them; `service` is protocol << 16 | port. */
  readonly find: (client: number, server: number, service: number) => number
  readonly learn: (client: string, server: string, service: number, key: number) => void
  /** These dependencies are to be looked up anew. */
  readonly forget: (ids: ReadonlySet<number>) => void
  readonly clear: () => void
  readonly size: () => number
}

/** About 60 octets an edge, and 100 an address. */
export const makeKnownEdges = (capacity = 500_000): KnownEdges => {
  let addresses = new Map<string, number>()
  let edges = new TupleTable(1024)
  let keys = new Float64Array(1024)

  const numberOf = (address: string): number => {
    let number = addresses.get(address)
    if (number === undefined) addresses.set(address, (number = addresses.size))
    return number
  }
  const clear = () => {
    addresses = new Map()
    edges = new TupleTable(1024)
    keys = new Float64Array(1024)
  }
  return {
    addressOf: (address) => addresses.get(address) ?? -1,
    find: (client, server, service) => {
      if (client < 0 || server < 0) return 0
      const edge = edges.find(client, server, service, 0)
      return edge === undefined ? 0 : keys[edge]!
    },
    learn: (client, server, service, key) => {
      if (edges.size >= capacity) clear()
      const edge = edges.intern(numberOf(client), numberOf(server), service, 0)
      if (edge >= keys.length) {
        const wider = new Float64Array(keys.length * 2)
        wider.set(keys)
        keys = wider
      }
      keys[edge] = key
    },
    forget: (ids) => {
      for (let edge = 0; edge < edges.size; edge++) if (ids.has(Math.floor(keys[edge]! / 2))) keys[edge] = 0
    },
    clear,
    size: () => edges.size
  }
}
