/** Kinds of services that the played worlds are made of: a table. Octets and pauses are those of the real thing, scaled to a short play. */
import { TCP, UDP } from "./traffic.ts"

/**
 * Where a client's port comes from: the systems' own ranges, a NAT gateway's, privileged (rsh, NFS), the same as the server's, or one
 * port that it always takes.
 */
export type PortChoice = "linux" | "windows" | "any" | "privileged" | "same" | number

export interface Service {
  readonly name: string
  readonly protocol: number
  readonly port: number
  readonly from: PortChoice
  /**
   * `ask`: a connection for each question; `stay`: one that lasts; `tell`: nobody answers. FTP asks on port 21 and carries data on a second
   * connection, which the server opens from port 20 (active) or the client to a port it was told (passive); both are the service `ftp-data`.
   * TFTP answers from a port of its own.
   */
  readonly way: "ask" | "stay" | "tell" | "ftp-active" | "ftp-passive" | "tftp"
  readonly request: readonly [number, number]
  readonly response: readonly [number, number]
  readonly clients: number
  readonly servers: number
  /** Every server also opens connections to every other one. */
  readonly mesh?: boolean
  readonly either?: boolean
  /** The server speaks first as often as the client. */
  readonly pushes?: boolean
}

const small: Service["request"] = [60, 600]

const of = (
  name: string,
  protocol: number,
  port: number,
  from: PortChoice,
  way: Service["way"],
  rest: Partial<Service> = {}
): Service => ({ name, protocol, port, from, way, request: small, response: [200, 20_000], clients: 4, servers: 1, ...rest })

/** What every site has; the other scenarios play it. */
export const everyday: ReadonlyArray<Service> = [
  of("https", TCP, 443, "windows", "ask", { clients: 12, servers: 2, response: [800, 120_000] }),
  of("postgresql", TCP, 5432, "linux", "stay", { servers: 2, response: [100, 40_000] }),
  of("dns", UDP, 53, "linux", "ask", { clients: 10, servers: 2, request: [28, 60], response: [44, 400] }),
  of("an application of ours", TCP, 8650, "linux", "ask", { clients: 6 }),
  of("redis", TCP, 6379, "linux", "stay", { clients: 3, response: [40, 4000] }),
  of("ssh", TCP, 22, "linux", "ask", { clients: 3 })
]

export const allKinds: ReadonlyArray<Service> = [
  ...everyday,
  of("ntp, both on one port", UDP, 123, "same", "ask", { clients: 8, request: [48, 48], response: [48, 48] }),
  of("bgp", TCP, 179, "linux", "stay", { clients: 3, pushes: true, response: [19, 200] }),
  of("kerberos", UDP, 88, "windows", "ask", { clients: 8, request: [200, 300], response: [1000, 1400] }),
  of("kerberos over tcp", TCP, 88, "windows", "ask", { clients: 5, request: [1000, 2000], response: [1000, 3000] }),
  of("ldap", TCP, 389, "windows", "ask", { clients: 6 }),
  of("rpc endpoint mapper", TCP, 135, "windows", "ask", { clients: 5 }),
  of("rpc, a high port", TCP, 49_664, "windows", "ask", { clients: 6 }),
  of("grpc, a high port", TCP, 50_051, "linux", "stay", { clients: 4, pushes: true }),
  of("a port of nobody", TCP, 17_321, "linux", "ask", { clients: 5 }),
  of("a high port of nobody", TCP, 41_873, "linux", "ask", { clients: 5 }),
  of("udp, a port of nobody", UDP, 20_117, "linux", "ask", { clients: 5 }),
  of("ftp, active", TCP, 21, "linux", "ftp-active", { clients: 3, response: [10_000, 200_000] }),
  of("ftp, passive", TCP, 21, "linux", "ftp-passive", { clients: 3, response: [10_000, 200_000] }),
  of("tftp", UDP, 69, "linux", "tftp", { clients: 3, request: [20, 40], response: [5000, 60_000] }),
  of("database cluster", TCP, 4567, "linux", "stay", { clients: 0, servers: 3, mesh: true }),
  of("cassandra", TCP, 7000, "linux", "ask", { clients: 0, servers: 3, mesh: true }),
  of("cluster heartbeat, both on one port", UDP, 5405, "same", "ask", {
    clients: 1,
    either: true,
    request: [80, 90],
    response: [80, 90]
  }),
  of("nfs from privileged ports", TCP, 2049, "privileged", "stay", { clients: 3, response: [100, 400_000] }),
  of("rsh-like, both privileged", TCP, 514, "privileged", "ask", { clients: 3 }),
  of("snmp", UDP, 161, "linux", "ask", { clients: 1, servers: 8, request: [80, 120], response: [90, 900] }),
  of("syslog, nobody answers", UDP, 514, "linux", "tell", { clients: 6, request: [120, 900] }),
  of("smb", TCP, 445, "windows", "stay", { clients: 5, response: [100, 300_000] }),
  of("rdp", TCP, 3389, "windows", "stay", { clients: 3, pushes: true }),
  of("mssql", TCP, 1433, "windows", "stay", { clients: 3 }),
  of("oracle", TCP, 1521, "linux", "stay", { clients: 3 }),
  of("kafka", TCP, 9092, "linux", "stay", { clients: 4, servers: 3, request: [500, 90_000], response: [40, 400] }),
  of("rabbitmq", TCP, 5672, "linux", "stay", { clients: 3, pushes: true }),
  of("smtp", TCP, 25, "linux", "ask", { clients: 3, request: [2000, 90_000], response: [100, 300] }),
  of("sip, both on one port", UDP, 5060, "same", "ask", { clients: 4, request: [400, 900], response: [300, 700] })
]
