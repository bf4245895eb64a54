/**
 * `flowlens replay FILE… --to HOST:PORT`: sends captured datagrams over UDP. Exits 0 when all were sent, 1 when a file cannot be read
 * or the system refused a datagram, 2 when it was called wrongly.
 */
import { createSocket, type Socket } from "node:dgram"
import { lookup } from "node:dns/promises"
import { readFileSync, statSync } from "node:fs"
import { BlockList, isIPv6 } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import { type CapturedDatagram, captureFormats, formatOf, splitCapture } from "./capture.ts"

const formats = [...captureFormats, "length-prefixed"] as const
type Format = (typeof formats)[number]

const usage = `usage: flowlens replay FILE... --to HOST:PORT [options]

  --rate N     datagrams a second (default 1000)
  --loop N     send the files so many times (default 1)
  --as KIND    ${formats.join(", ")} (default: what the first octets say)
  --json       one JSON line of what was sent on standard output

On loopback each sender of a capture gets an address of its own (127.2.0.1, 127.2.0.2 ...), as templates belong to addresses.`

/** Files are read whole. */
const MAX_FILE_BYTES = 1 << 30
const MAX_RATE = 1_000_000
const MAX_LOOPS = 1_000_000
const MAX_DATAGRAM = 65_507
/** The rate is kept in steps of so long. */
const STEP_MS = 10

export interface ReplayTarget {
  readonly host: string
  readonly port: number
}

export interface ReplayPlan {
  readonly files: ReadonlyArray<string>
  readonly target: ReplayTarget
  readonly rate: number
  readonly loops: number
  readonly format: Format | undefined
  readonly json: boolean
}

/** What is asked for, or why that cannot be done. */
export const parseReplay = (argv: ReadonlyArray<string>): ReplayPlan | string => {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(argv)
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
  const { values, positionals: files } = parsed
  if (files.length === 0) return "no file given"
  if (values.to === undefined) return "--to HOST:PORT is needed: nothing is sent to nowhere in particular"
  const target = targetOf(values.to)
  if (typeof target === "string") return target
  const rate = whole(values.rate, MAX_RATE)
  if (rate === undefined) return `--rate ${values.rate} is not a whole number from 1 to ${MAX_RATE}`
  const loops = whole(values.loop, MAX_LOOPS)
  if (loops === undefined) return `--loop ${values.loop} is not a whole number from 1 to ${MAX_LOOPS}`
  const format = formats.find((known) => known === values.as)
  if (values.as !== undefined && format === undefined) return `unknown format ${values.as}`
  return { files, target, rate, loops, format, json: values.json }
}

const parse = (argv: ReadonlyArray<string>) =>
  parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      to: { type: "string" },
      rate: { type: "string", default: "1000" },
      loop: { type: "string", default: "1" },
      as: { type: "string" },
      json: { type: "boolean", default: false }
    }
  })

const whole = (text: string, most: number): number | undefined => {
  const value = Number(text)
  return /^\d+$/.test(text) && value >= 1 && value <= most ? value : undefined
}

/** `127.0.0.1:2055`, `[::1]:2055` or `collector.example:2055`. */
const targetOf = (text: string): ReplayTarget | string => {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || !(port >= 1 && port <= 65_535)) return `${text} is not HOST:PORT (an IPv6 address in brackets)`
  return { host, port }
}

/** Everybody and nobody are no targets. */
const unclear = new BlockList()
unclear.addSubnet("224.0.0.0", 4)
unclear.addSubnet("0.0.0.0", 8)
unclear.addAddress("255.255.255.255")
unclear.addSubnet("ff00::", 8, "ipv6")
unclear.addAddress("::", "ipv6")

/** The one address that `host` means, or why it is none to send to. */
export const clearAddress = async (host: string): Promise<{ readonly address: string; readonly six: boolean } | string> => {
  const found = await lookup(host).catch(() => undefined)
  if (found === undefined) return `cannot resolve ${host}`
  const six = isIPv6(found.address)
  if (unclear.check(found.address, six ? "ipv6" : "ipv4")) return `${found.address} is not the address of one machine`
  return { address: found.address, six }
}

/** `[length, 32 bits little-endian][datagram]`, one after another; a part at the end is left out. */
export const splitLengthPrefixed = (bytes: Uint8Array): ReadonlyArray<CapturedDatagram> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Array<CapturedDatagram> = []
  for (let at = 0; bytes.length - at >= 4; ) {
    const length = view.getUint32(at, true)
    if (length === 0 || length > MAX_DATAGRAM || length > bytes.length - at - 4) break
    found.push({ payload: bytes.subarray(at + 4, at + 4 + length), source: undefined, sourcePort: 0, destinationPort: 0, atMs: 0 })
    at += 4 + length
  }
  return found
}

/** A capture of packets may hold more than flow export: of those 5, 9 or 10 in 16 bits, or 5 in 32, is what is sent. */
const isFlowExport = (payload: Uint8Array): boolean => {
  if (payload.length < 4 || payload.length > MAX_DATAGRAM) return false
  const word = payload[0]! * 256 + payload[1]!
  return word === 5 || word === 9 || word === 10 || (word === 0 && payload[2] === 0 && payload[3] === 5)
}

const load = (path: string, format: Format | undefined): ReadonlyArray<CapturedDatagram> => {
  const { size } = statSync(path)
  if (size > MAX_FILE_BYTES) throw new Error(`${path} is larger than ${MAX_FILE_BYTES} octets`)
  const bytes = new Uint8Array(readFileSync(path))
  const kind = format ?? formatOf(bytes)
  return kind === "length-prefixed" ? splitLengthPrefixed(bytes) : splitCapture(bytes, kind)
}

export interface ReplaySummary {
  readonly files: number
  readonly to: string
  readonly datagrams: number
  readonly bytes: number
  readonly senders: number
  /** Datagrams of the files that are no flow export and were left out. */
  readonly skipped: number
  /** Datagrams that the system did not take. */
  readonly refused: number
  readonly loops: number
  readonly seconds: number
  readonly interrupted: boolean
}

const bound = (six: boolean, from: string | undefined): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(six ? "udp6" : "udp4")
    socket.once("error", reject)
    socket.bind(0, from, () => {
      socket.off("error", reject)
      // Errors of single datagrams arrive at their own callbacks
      socket.on("error", () => undefined)
      resolve(socket)
    })
  })

/** One socket a sender; its address is the sender's own only where the machine lets us choose, on loopback. */
const openSenders = async (sources: ReadonlySet<string | undefined>, address: string, six: boolean) => {
  const sockets = new Map<string | undefined, Socket>()
  for (const source of sources) {
    const own = address.startsWith("127.") ? `127.2.0.${sockets.size + 1}` : undefined
    sockets.set(source, await bound(six, own).catch(() => bound(six, undefined)))
  }
  return sockets
}

/** More senders than this share the last socket. */
const MAX_SENDERS = 250

export const runReplay = async (argv: ReadonlyArray<string>): Promise<number> => {
  if (argv.includes("--help")) {
    console.log(usage)
    return 0
  }
  const plan = parseReplay(argv)
  const target = typeof plan === "string" ? plan : await clearAddress(plan.target.host)
  if (typeof plan === "string" || typeof target === "string") {
    console.error(`flowlens replay: ${typeof plan === "string" ? plan : target}\n\n${usage}`)
    return 2
  }
  let captured: ReadonlyArray<CapturedDatagram>
  try {
    captured = plan.files.flatMap((file) => load(file, plan.format))
  } catch (cause) {
    console.error(`flowlens replay: ${cause instanceof Error ? cause.message : String(cause)}`)
    return 1
  }
  const datagrams = captured.filter(({ source, payload }) => source === undefined || isFlowExport(payload))
  const summary = await send(plan, datagrams, captured.length - datagrams.length, target)
  if (plan.json) console.log(JSON.stringify(summary))
  return summary.refused > 0 ? 1 : 0
}

const send = async (
  { files, target: { port }, rate, loops }: ReplayPlan,
  datagrams: ReadonlyArray<CapturedDatagram>,
  skipped: number,
  { address, six }: { readonly address: string; readonly six: boolean }
): Promise<ReplaySummary> => {
  const sources = new Set([...new Set(datagrams.map(({ source }) => source))].slice(0, MAX_SENDERS))
  const sockets = await openSenders(sources, address, six)
  if (sources.size > 1 && !address.startsWith("127.")) {
    console.error(`flowlens replay: ${sources.size} senders of the capture become one address; their templates may collide`)
  }
  const last = [...sockets.values()].at(-1)
  const total = datagrams.length * loops
  let sent = 0
  let bytes = 0
  let refused = 0
  let interrupted = false
  const stop = () => {
    interrupted = true
  }
  process.once("SIGINT", stop)
  const startMs = performance.now()
  const secondsSoFar = () => (performance.now() - startMs) / 1000
  let shown = 0
  const progress = () =>
    console.error(`flowlens replay: ${sent} of ${total} datagrams to ${address}:${port}, ${secondsSoFar().toFixed(0)} s`)
  while (sent < total && !interrupted) {
    const due = Math.min(total, Math.max(1, Math.floor((secondsSoFar() + STEP_MS / 1000) * rate)))
    const step: Array<Promise<void>> = []
    // The system's answers are awaited, so at most one step is under way
    while (sent < due && step.length < 1024) {
      const { payload, source } = datagrams[sent % datagrams.length]!
      const socket = sockets.get(source) ?? last!
      sent++
      bytes += payload.length
      step.push(
        new Promise((resolve) =>
          socket.send(payload, port, address, (error) => {
            if (error !== null) refused++
            resolve()
          })
        )
      )
    }
    await Promise.all(step)
    if (sent >= due && sent < total) await pause(STEP_MS)
    if (secondsSoFar() - shown >= 1) {
      shown = secondsSoFar()
      progress()
    }
  }
  progress()
  process.off("SIGINT", stop)
  for (const socket of sockets.values()) socket.close()
  const to = six ? `[${address}]:${port}` : `${address}:${port}`
  const seconds = Math.round(secondsSoFar() * 1000) / 1000
  return { files: files.length, to, datagrams: sent, bytes, senders: sockets.size, skipped, refused, loops, seconds, interrupted }
}
