/** What operators meet, case by case: who said what, and who serves. */
import type { Play, Said } from "./play.ts"

const SYN = 0x02
const SYN_ACK = 0x12
const DATA = 0x18
const WHOLE = 0x1b

/** A record; `from` and `to` are `HOST:PORT`. */
export const says = (from: string, to: string, fields: Partial<Said> = {}): Said => ({
  from,
  to,
  protocol: 6,
  flags: WHOLE,
  packets: 10,
  bytes: 1000,
  start: 1000,
  end: 5000,
  exporter: 0,
  ...fields
})
const udp = (from: string, to: string, fields: Partial<Said> = {}): Said => says(from, to, { protocol: 17, flags: 0, ...fields })
/** Both directions; the answer starts a round trip later. */
const both = (from: string, to: string, fields: Partial<Said> = {}, answer: Partial<Said> = {}): ReadonlyArray<Said> => {
  const there = says(from, to, fields)
  const back = { ...there, from: to, to: from, start: there.start + 20, bytes: there.bytes * 4, ...answer }
  return [there, back]
}
const udpBoth = (from: string, to: string, fields: Partial<Said> = {}, answer: Partial<Said> = {}) =>
  both(from, to, { protocol: 17, flags: 0, ...fields }, answer)
const times = <A>(count: number, make: (i: number) => ReadonlyArray<A>): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, i) => make(i)).flat()
/** Neither starts nor flags: as sFlow and some v5 exporters leave it. */
const mute = { flags: 0, start: 5000 }

export interface Scenario extends Play {
  readonly name: string
  /** Edges of the last window, all of them. */
  readonly expect: ReadonlyArray<string>
  /** The answer must stand on evidence: the least margin. */
  readonly least?: number
  /** What tells are pairs of records that exporters report together: torn apart they tell nothing, and nothing wrong. */
  readonly paired?: boolean
}

export const scenarios: ReadonlyArray<Scenario> = [
  { name: "a SYN opens it, to a port nobody knows", windows: [both("1:40000", "2:41000")], expect: ["1 -> 2:41000/6"] },
  { name: "a SYN against a known port: the client's port is 3306", windows: [both("1:3306", "2:8999")], expect: ["1 -> 2:8999/6"] },
  {
    name: "a SYN-ACK in a packet sample of the reply only",
    via: "sflow",
    sampling: 100,
    windows: [[says("2:41000", "1:40000", { flags: SYN_ACK, packets: 1, bytes: 60 })]],
    expect: ["1 -> 2:41000/6"]
  },
  { name: "one-way export, requests only", windows: [[says("1:40000", "2:5432", { flags: DATA })]], expect: ["1 -> 2:5432/6"] },
  { name: "one-way export, replies only", windows: [[says("2:5432", "1:40000", { flags: DATA })]], expect: ["1 -> 2:5432/6"] },
  { name: "replies only, no flags (v5)", via: "netflow5", windows: [[says("2:443", "1:40000", mute)]], expect: ["1 -> 2:443/6"] },
  {
    name: "replies only, to a client below 1024 (NFS)",
    windows: [[says("2:2049", "1:800", { flags: DATA })]],
    expect: ["1 -> 2:2049/6"]
  },
  {
    name: "v5 without flags, both directions, unknown ports: who began",
    paired: true,
    via: "netflow5",
    windows: [times(3, (i) => both(`1:${40_000 + i}`, "2:42000", { flags: 0, start: 1000 + i * 8000, end: 6000 + i * 8000 }))],
    expect: ["1 -> 2:42000/6"]
  },
  {
    name: "sampled both ways without a SYN, known port",
    via: "sflow",
    sampling: 1000,
    windows: [[says("2:27017", "1:50000", { flags: DATA, packets: 1 }), says("1:50000", "2:27017", { flags: DATA, packets: 1 })]],
    expect: ["1 -> 2:27017/6"]
  },
  {
    name: "sampled, high ports, many clients",
    via: "sflow",
    sampling: 1000,
    windows: [times(8, (i) => [says("2:39042", `${10 + i}:${51_000 + i * 11}`, { flags: DATA, packets: 1 })])],
    expect: times(8, (i) => [`${10 + i} -> 2:39042/6`])
  },
  {
    name: "a long flow cut by the active timeout: its SYN was in the window before",
    windows: [both("1:40000", "2:41000", { end: 290_000 }), both("2:41000", "1:40000", { flags: DATA, start: 100, end: 290_000 })],
    expect: ["1 -> 2:41000/6"]
  },
  {
    name: "a long flow whose server's half starts first after the cut, known port",
    windows: [times(5, () => both("2:5432", "1:40000", { flags: DATA, start: 0, end: 60_000 }))],
    expect: ["1 -> 2:5432/6"]
  },
  {
    name: "a long flow of the lower port, cut: who began is not believed of running flows",
    windows: [
      [...both("1:33000", "2:45000", { end: 60_000 }), ...both("2:45000", "1:33000", { flags: DATA, start: 60_000, end: 120_000 })]
    ],
    expect: ["1 -> 2:45000/6"]
  },
  {
    name: "history: the NodePort was proven before, now replies without a SYN",
    windows: [
      times(3, (i) => both(`${10 + i}:${50_000 + i}`, "2:31000")),
      [says("2:31000", "77:20000", { flags: DATA }), says("77:20000", "2:31000", { flags: DATA })]
    ],
    expect: ["77 -> 2:31000/6"]
  },
  {
    name: "history against the ports: a client by the port of a service",
    windows: [
      times(5, (i) => both(`${10 + i}:${50_000 + i}`, "2:8999")),
      times(5, (i) => both(`${10 + i}:${51_000 + i}`, "2:8999")),
      times(5, (i) => both(`${10 + i}:${52_000 + i}`, "2:8999")),
      times(5, (i) => both(`${10 + i}:${53_000 + i}`, "2:8999")),
      times(5, (i) => both(`${10 + i}:${54_000 + i}`, "2:8999")),
      times(5, (i) => both(`${10 + i}:${55_000 + i}`, "2:8999")),
      [says("1:3306", "2:8999", { flags: DATA }), says("2:8999", "1:3306", { flags: DATA })]
    ],
    expect: ["1 -> 2:8999/6"]
  },
  {
    name: "fan-in over slices: each window shows one client of a Cassandra-like port without flags",
    via: "netflow5",
    windows: times(6, (i) => [
      [says(`${10 + i}:${35_000 + i}`, "2:47000", mute), says("2:47000", `${10 + i}:${35_000 + i}`, mute)]
    ]),
    expect: ["15 -> 2:47000/6"]
  },
  {
    name: "one client, a new port each time, no flags",
    windows: [times(6, (i) => [says(`1:${51_000 + i * 3}`, "2:40100", mute), says("2:40100", `1:${51_000 + i * 3}`, mute)])],
    expect: ["1 -> 2:40100/6"]
  },
  { name: "DNS, replies only", windows: [[udp("2:53", "1:51234")]], expect: ["1 -> 2:53/17"] },
  {
    name: "DNS, the resolver asks from port 53 itself",
    paired: true,
    windows: [times(4, (i) => udpBoth("1:53", "2:53", { start: 1000 + 7000 * i, end: 1040 + 7000 * i }))],
    expect: ["1 -> 2:53/17"]
  },
  { name: "QUIC to 443", windows: [udpBoth("1:51000", "2:443", { end: 200_000 })], expect: ["1 -> 2:443/17"] },
  { name: "syslog from 514 to 514, never answered", windows: [[udp("1:514", "2:514")]], expect: ["1 -> 2:514/17"] },
  {
    name: "syslog from many, never answered",
    windows: [times(5, (i) => [udp(`${10 + i}:514`, "2:514")])],
    expect: times(5, (i) => [`${10 + i} -> 2:514/17`])
  },
  { name: "SNMP trap", windows: [[udp("1:40001", "2:162")]], expect: ["1 -> 2:162/17"] },
  {
    name: "SNMP poller with one port for all its agents",
    windows: [times(6, (i) => udpBoth("1:40161", `${10 + i}:161`))],
    expect: times(6, (i) => [`1 -> ${10 + i}:161/17`])
  },
  { name: "sFlow from its own port", windows: [[udp("1:6343", "2:6343")]], expect: ["1 -> 2:6343/17"] },
  {
    name: "NTP 123 to 123: many clients",
    windows: [times(6, (i) => udpBoth(`${10 + i}:123`, "2:123", { end: 1050 }))],
    expect: times(6, (i) => [`${10 + i} -> 2:123/17`])
  },
  {
    name: "NTP 123 to 123: one client, who asks",
    paired: true,
    windows: [times(3, (i) => udpBoth("1:123", "2:123", { start: 1000 + i * 64_000, end: 1050 + i * 64_000 }))],
    expect: ["1 -> 2:123/17"]
  },
  { name: "IKE 500 to 500, the initiator began", windows: [udpBoth("1:500", "2:500")], expect: ["1 -> 2:500/17"] },
  {
    name: "IKE goes on for hours: the rekeying of the other end does not turn it",
    paired: true,
    windows: [
      times(4, (i) => udpBoth("1:4500", "2:4500", { start: 1000 + i * 10_000, end: 1500 + i * 10_000 })),
      times(4, (i) => udpBoth("1:4500", "2:4500", { start: 1000 + i * 10_000, end: 1500 + i * 10_000 })),
      udpBoth("2:4500", "1:4500", { start: 2000 })
    ],
    expect: ["1 -> 2:4500/17"],
    // what the last window shows speaks for the other end
    least: -0.6
  },
  { name: "BGP: the speaker that opened it", windows: [both("1:43000", "2:179")], expect: ["1 -> 2:179/6"] },
  { name: "BGP, hours later, replies only", windows: [[says("2:179", "1:43000", { flags: DATA })]], expect: ["1 -> 2:179/6"] },
  {
    name: "FTP passive: data to the server's high port",
    windows: [
      [
        ...both("1:40000", "2:21"),
        ...both("1:40001", "2:55001", { flags: 0, start: 3000 }),
        ...both("1:40002", "2:55002", { flags: 0, start: 4000 })
      ]
    ],
    expect: ["1 -> 2:20/6", "1 -> 2:21/6"]
  },
  {
    name: "FTP active: the server calls back from port 20",
    windows: [[...both("1:40000", "2:21"), ...both("2:20", "1:40005", { start: 3000 })]],
    expect: ["1 -> 2:20/6", "1 -> 2:21/6"]
  },
  {
    name: "FTP active: nobody saw the control connection",
    windows: [both("2:20", "1:40005")],
    expect: ["1 -> 2:20/6"]
  },
  {
    name: "FTP: the control connection was seen half an hour ago",
    windows: [both("1:40000", "2:21"), [says("5:4000", "6:80")], both("2:20", "1:40005")],
    expect: ["1 -> 2:20/6"]
  },
  {
    name: "FTP between the same ends does not swallow a service that others use",
    windows: [
      [...both("1:40000", "2:21"), ...both("1:40001", "2:49000"), ...both("7:40002", "2:49000"), ...both("8:40003", "2:49000")]
    ],
    expect: ["1 -> 2:21/6", "1 -> 2:49000/6", "7 -> 2:49000/6", "8 -> 2:49000/6"]
  },
  {
    name: "TFTP answers from another port",
    windows: [[udp("1:40000", "2:69"), ...udpBoth("2:50123", "1:40000", { start: 1100 })]],
    expect: ["1 -> 2:69/17"]
  },
  {
    name: "Elasticsearch, node to node, high port, both open connections",
    windows: [[...both("1:40000", "2:39300"), ...both("2:40500", "1:39300")]],
    expect: ["1 -> 2:39300/6", "2 -> 1:39300/6"]
  },
  {
    name: "two exporters, only one saw the SYN",
    windows: [
      [
        says("1:40000", "2:41000", { flags: SYN, packets: 1 }),
        says("2:41000", "1:40000", { flags: DATA, exporter: 1 }),
        says("1:40000", "2:41000", { flags: DATA, exporter: 1 })
      ]
    ],
    expect: ["1 -> 2:41000/6"]
  },
  {
    name: "a port that the operator named, above a known one",
    named: [{ protocol: 6, port: 45_678 }],
    windows: [[says("2:45678", "1:8080", mute), says("1:8080", "2:45678", mute)]],
    expect: ["1 -> 2:45678/6"]
  },
  {
    name: "a client by a named port, with its SYN",
    named: [{ protocol: 6, port: 45_678 }],
    windows: [both("1:45678", "2:9999")],
    expect: ["1 -> 2:9999/6"]
  },
  {
    name: "declared, against everything",
    declared: {
      size: 2,
      word: (address, protocol, port) => (/^10\.0\.(0\.1|255\.254)$/.test(address) && protocol === 6 && port === 40_000 ? 1 : 0)
    },
    windows: [both("1:40000", "2:443")],
    expect: ["2 -> 1:40000/6"],
    least: 1
  },
  {
    name: "declared never to serve, whatever the port is called, also where its client's ports are folded",
    declared: { size: 2, word: (address) => (/^10\.0\.(0\.2|255\.253)$/.test(address) ? -1 : 0) },
    windows: [both("1:40000", "2:443")],
    expect: ["2 -> 1:40000/6"],
    least: 1
  },
  {
    name: "ingress and egress records of one router",
    via: "ipfix",
    windows: [[...both("1:40000", "2:8443"), ...both("1:40000", "2:8443", { egress: true })]],
    expect: ["1 -> 2:8443/6"]
  }
]
