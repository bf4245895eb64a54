/**
 * A small routed network in namespaces, with a leg into the host's own namespace where a collector listens:
 *
 *     client-1 ┐                       ┌ server-1
 *     client-2 ┴ clients ─ router ─ servers ┴ server-2
 *                             └ leg ── this machine
 *
 * The clients' switch is in the router, or in a place of its own with a leg of its own: then it exports under another address.
 *
 * Everything carries the process id in its name and goes away with the scope.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { has, LabFault, run } from "./processes.ts"

export const machines = ["client-1", "client-2", "server-1", "server-2"] as const
export type Machine = (typeof machines)[number]
export type Place = Machine | "router" | "switch"

export interface Network {
  readonly namespace: (place: Place) => string
  readonly address: (machine: Machine) => string
  readonly address6: (machine: Machine) => string
  /** The router's interface that all traffic between clients and servers passes. */
  readonly watched: string
  /** This machine's end of the leg: where exporters send, and what a collector must listen on (or on any address). */
  readonly hostAddress: string
  /** Where the exporters' datagrams come from. */
  readonly exporterAddress: string
  /** This machine's end of the switch's leg, and where its datagrams come from; those of the router unless it is apart. */
  readonly switchHostAddress: string
  readonly switchAddress: string
  /** Scratch folder, removed with the network. */
  readonly folder: string
  /** `argv` prefixed so that it runs at that place, with a /run of its own. */
  readonly at: (place: Place, ...argv: ReadonlyArray<string>) => ReadonlyArray<string>
  /** What clients and router sent each other so far: the kernel's own account. */
  readonly wires: Effect.Effect<Wires, LabFault>
}

export interface Account {
  /** From the IP header on. */
  readonly bytes: number
  readonly packets: number
}

/** What the switch between them lost was sent, did not arrive, and may or may not have been seen on the way. */
export interface Wires {
  readonly sent: Account
  readonly arrived: Account
}

const sumOf = (accounts: ReadonlyArray<Account>): Account => ({
  bytes: accounts.reduce((sum, { bytes }) => sum + bytes, 0),
  packets: accounts.reduce((sum, { packets }) => sum + packets, 0)
})

/** What came since `before`. */
export const wiresSince = (before: Wires, after: Wires): Wires => {
  const since = (of: "sent" | "arrived") => ({
    bytes: after[of].bytes - before[of].bytes,
    packets: after[of].packets - before[of].packets
  })
  return { sent: since("sent"), arrived: since("arrived") }
}

/** What joins the machines of one side. */
export interface Switch {
  readonly create: (bridge: string) => Effect.Effect<void, LabFault>
  readonly attach: (bridge: string, port: string) => Effect.Effect<void, LabFault>
}

/** What keeps a lab with these programs from running here, in words for the name of a skipped test; empty: nothing. */
export const missingFor = (...programs: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...(process.platform === "linux" && process.getuid?.() === 0 ? [] : ["root on Linux"]),
  ...["ip", "ethtool", ...programs].filter((program) => !has(program))
]

const PREFIX = "flowlens-lab-"

/** A lab whose process was killed outright left its namespaces behind; they carry its pid. */
const sweep = Effect.gen(function* () {
  const names = (yield* run("ip", "netns", "list")).split("\n").map((line) => line.split(" ")[0]!)
  for (const name of names.filter((found) => found.startsWith(PREFIX))) {
    const pid = Number.parseInt(name.slice(PREFIX.length).split("-")[0]!, 36)
    if (!existsSync(`/proc/${pid}`)) yield* remove(name)
  }
})

/** The kernel's own bridge. */
const kernelSwitch = (namespace: string): Switch => ({
  create: (bridge) => Effect.asVoid(run("ip", "-n", namespace, "link", "add", bridge, "type", "bridge")),
  attach: (bridge, port) => Effect.asVoid(run("ip", "-n", namespace, "link", "set", port, "master", bridge))
})

let made = 0

/** `switchOf` gives the switch of the clients' side, to run in the namespace it is told; the kernel's bridge unless told. */
export const makeNetwork = Effect.fnUntraced(function* (
  switchOf: (folder: string, namespace: string) => Effect.Effect<Switch, LabFault, Scope.Scope> = (_, where) =>
    Effect.succeed(kernelSwitch(where)),
  { apart = false }: { readonly apart?: boolean } = {}
): Effect.fn.Return<Network, LabFault, Scope.Scope> {
  yield* sweep
  // Two labs at once must not share names or subnets
  const sequence = made++
  const id = process.pid.toString(36)
  const namespace = (place: Place) => `${PREFIX}${id}-${sequence}-${place}`
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "flowlens-lab-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  for (const place of [...machines, "router", ...(apart ? (["switch"] as const) : [])] as const) {
    yield* Effect.acquireRelease(run("ip", "netns", "add", namespace(place)), () => remove(namespace(place)))
    // Only what the lab itself sends is wanted on its wires
    yield* run("ip", "netns", "exec", namespace(place), "sh", "-c", quiet)
    yield* run("ip", "-n", namespace(place), "link", "set", "lo", "up")
  }
  const router = namespace("router")
  yield* run(
    "ip",
    "netns",
    "exec",
    router,
    "sh",
    "-c",
    "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
  )

  const n = yield* layLeg(router)
  const holds = apart ? namespace("switch") : router
  const clientsSwitch = yield* switchOf(folder, holds)
  const sides = { client: { bridge: "clients", subnet: 1 }, server: { bridge: "servers", subnet: 2 } } as const
  const sideOf = (machine: Machine) => sides[machine.startsWith("client") ? "client" : "server"]
  const host = (machine: Machine) => 10 + Number(machine.at(-1))
  const address = (machine: Machine) => `10.${n}.${sideOf(machine).subnet}.${host(machine)}`
  const address6 = (machine: Machine) => `fd42:${n}:${sideOf(machine).subnet}::${host(machine)}`
  if (apart) yield* cable(holds, router, n, clientsSwitch)
  for (const { bridge, subnet } of Object.values(sides)) {
    if (subnet === 2 || !apart) yield* (subnet === 1 ? clientsSwitch : kernelSwitch(router)).create(bridge)
    yield* run("ip", "-n", router, "addr", "add", `10.${n}.${subnet}.1/24`, "dev", bridge)
    yield* run("ip", "-n", router, "addr", "add", `fd42:${n}:${subnet}::1/64`, "dev", bridge, "nodad")
    yield* run("ip", "-n", router, "link", "set", bridge, "up")
  }
  for (const machine of machines) {
    const { bridge, subnet } = sideOf(machine)
    const own = namespace(machine)
    const far = subnet === 1 ? holds : router
    yield* run("ip", "-n", own, "link", "add", "eth0", "type", "veth", "peer", "name", machine, "netns", far)
    yield* (subnet === 1 ? clientsSwitch : kernelSwitch(router)).attach(bridge, machine)
    // Without offloads the wires carry packets as a real network does, and both ends count the same octets
    yield* plug([own, "eth0"], [far, machine])
    yield* run("ip", "-n", own, "addr", "add", `${address(machine)}/24`, "dev", "eth0")
    yield* run("ip", "-n", own, "addr", "add", `${address6(machine)}/64`, "dev", "eth0", "nodad")
    yield* run("ip", "-n", own, "route", "add", "default", "via", `10.${n}.${subnet}.1`)
    yield* run("ip", "-n", own, "-6", "route", "add", "default", "via", `fd42:${n}:${subnet}::1`)
  }
  return {
    namespace,
    address,
    address6,
    watched: "clients",
    hostAddress: `10.${n}.9.2`,
    exporterAddress: `10.${n}.9.1`,
    switchHostAddress: apart ? `10.${n}.10.2` : `10.${n}.9.2`,
    switchAddress: apart ? `10.${n}.10.1` : `10.${n}.9.1`,
    folder,
    at: (place, ...argv) => [
      "ip",
      "netns",
      "exec",
      namespace(place),
      "sh",
      "-c",
      `mount -t tmpfs tmpfs /run && mkdir -p /run/sshd && exec "$@"`,
      "sh",
      ...argv
    ],
    wires: Effect.all([linkWires(namespace("client-1")), linkWires(namespace("client-2")), linkWires(router, "clients")]).pipe(
      Effect.map((links) => ({ sent: sumOf(links.map(({ sent }) => sent)), arrived: sumOf(links.map(({ arrived }) => arrived)) }))
    )
  }
})

const plug = (...ends: ReadonlyArray<readonly [namespace: string, link: string]>) =>
  Effect.forEach(
    ends,
    ([where, link]) =>
      Effect.andThen(
        run("ip", "netns", "exec", where, "ethtool", "-K", link, "tso", "off", "gso", "off", "gro", "off", "tx", "off"),
        run("ip", "-n", where, "link", "set", link, "up")
      ),
    { discard: true }
  )

/** A switch apart: the cable to the router, whose end has the name that the bridge would have there, and a leg to this machine. */
const cable = Effect.fnUntraced(function* (holds: string, router: string, n: number, clients: Switch) {
  yield* clients.create("clients")
  yield* run("ip", "-n", holds, "link", "set", "clients", "up")
  yield* run("ip", "-n", holds, "link", "add", "uplink", "type", "veth", "peer", "name", "clients", "netns", router)
  yield* clients.attach("clients", "uplink")
  yield* plug([holds, "uplink"], [router, "clients"])
  const link = `fllab${n}s`
  yield* run("ip", "link", "add", link, "type", "veth", "peer", "name", "leg", "netns", holds)
  yield* run("ip", "addr", "add", `10.${n}.10.2/30`, "dev", link)
  yield* run("ip", "link", "set", link, "up")
  yield* run("ip", "-n", holds, "addr", "add", `10.${n}.10.1/30`, "dev", "leg")
  yield* run("ip", "-n", holds, "link", "set", "leg", "up")
})

/**
 * A leg from the router into the namespace this process is in; deleting the router's end with its namespace removes both. Its name is
 * the claim to a subnet, 10.N.0.0/16: a link can be made once only, whoever else runs a lab here.
 */
const layLeg = Effect.fnUntraced(function* (router: string) {
  for (let i = 0; i < 128; i++) {
    const n = 64 + ((process.pid + i) % 128)
    const link = `fllab${n}`
    const laid = yield* Effect.option(run("ip", "link", "add", link, "type", "veth", "peer", "name", "leg", "netns", router))
    if (laid._tag === "None") continue
    yield* run("ip", "addr", "add", `10.${n}.9.2/30`, "dev", link)
    yield* run("ip", "link", "set", link, "up")
    yield* run("ip", "-n", router, "addr", "add", `10.${n}.9.1/30`, "dev", "leg")
    yield* run("ip", "-n", router, "link", "set", "leg", "up")
    return n
  }
  return yield* new LabFault({ what: "ip link add", detail: "no subnet is free" })
})

/** No router solicitations, no duplicate address detection, no multicast listeners. */
const quiet = `
  for on in all default; do
    echo 0 >/proc/sys/net/ipv6/conf/$on/accept_dad
    echo 0 >/proc/sys/net/ipv6/conf/$on/router_solicitations
    echo 0 >/proc/sys/net/ipv6/conf/$on/dad_transmits
  done 2>/dev/null; true`

/** What still runs there was started there; it ends by pid before the namespace goes. */
const remove = (namespace: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const pids = (yield* run("ip", "netns", "pids", namespace)).split("\n").filter((line) => line !== "")
    for (const pid of pids) {
      yield* Effect.sync(() => {
        try {
          process.kill(Number(pid), "SIGKILL")
        } catch {
          // it ended by itself
        }
      })
    }
    yield* run("ip", "netns", "del", namespace)
  }).pipe(Effect.ignore)

const LinkAccount = /"rx":\{"bytes":(\d+),"packets":(\d+).*?"tx":\{"bytes":(\d+),"packets":(\d+)/s

const ETHERNET_HEADER = 14

const linkWires = (namespace: string, link = "eth0"): Effect.Effect<Wires, LabFault> =>
  Effect.flatMap(run("ip", "-n", namespace, "-s", "-d", "-j", "link", "show", link), (text) => {
    const found = LinkAccount.exec(text)?.slice(1).map(Number)
    if (found === undefined) return Effect.fail(new LabFault({ what: "ip -s link", detail: text }))
    const [rxBytes = 0, rxPackets = 0, txBytes = 0, txPackets = 0] = found
    // a bridge of the kernel counts what it takes without the frame's header, which is taken off by then
    const header = text.includes('"info_kind":"bridge"') ? 0 : ETHERNET_HEADER
    return Effect.succeed({
      sent: { bytes: txBytes - txPackets * ETHERNET_HEADER, packets: txPackets },
      arrived: { bytes: rxBytes - rxPackets * header, packets: rxPackets }
    })
  })
