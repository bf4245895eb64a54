/**
 * The whole appliance as a process of its own, started as people start it: ports of its own, a data folder of its own, ended and removed
 * with the test. It is talked to over the wire, and its rows are read beside it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { request } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import { Reactivity } from "effect/reactivity"
import { onTestFinished, vi } from "vitest"
import { readPidFile } from "../../apps/appliance/postgres/cluster.ts"
import { attach } from "../../apps/appliance/postgres/EmbeddedPostgres.ts"
import { serversIn } from "../../apps/appliance/postgres/processes.ts"
import { unreadOctets } from "../rig/sockets.ts"

const main = join(import.meta.dirname, "../../apps/appliance/main.ts")

// Whoever starts an appliance waits often, and for each thing as long as a busy machine may need: what is not there then is named.
const patienceSeconds = 90
vi.setConfig({ testTimeout: 300_000 })

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

/** Asks again until the answer is there; the last error, or what was last seen, is what a test that waits in vain shows. */
export const until = async <A>(what: string, ask: () => Promise<A | undefined | false>, seconds = patienceSeconds): Promise<A> => {
  const end = Date.now() + seconds * 1000
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`, { cause: last })
    await sleep(100)
  }
}

export const freeUdpPort = (): Promise<number> =>
  new Promise((done, failed) => {
    const socket = createSocket("udp4")
    socket.once("error", failed)
    socket.bind(0, () => {
      const { port } = socket.address()
      socket.close(() => done(port))
    })
  })

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | Array<string> | undefined>
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  readonly json: any
}

export interface Asked {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** Fields of a knob's variable: `INGESTION_WORKERS` is `FLOWLENS_INGESTION_WORKERS`. */
export type Knobs = Readonly<Record<string, string | number>>

const environment = (knobs: Knobs) => ({
  // of the surroundings only what a process needs: a variable of this run would be a knob of the appliance
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("FLOWLENS_"))),
  ...Object.fromEntries(Object.entries(knobs).map(([knob, value]) => [`FLOWLENS_${knob}`, String(value)]))
})

export interface Ended {
  readonly code: number | null
  readonly output: string
}

/** One `flowlens …` to its end. */
export const flowlens = (argv: ReadonlyArray<string>, knobs: Knobs, input = ""): Promise<Ended> =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [main, ...argv], { env: environment(knobs), stdio: ["pipe", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += part))
    child.once("error", failed)
    child.once("close", (code) => done({ code, output }))
    child.stdin.on("error", () => undefined)
    child.stdin.end(input)
    onTestFinished(() => void child.kill("SIGKILL"))
  })

interface Run {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<number | null>
}

const launch = (argv: ReadonlyArray<string>, knobs: Knobs): Run => {
  const child = spawn(process.execPath, [main, "start", ...argv], { env: environment(knobs), stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (part) => (output += part))
  const ended = new Promise<number | null>((done) => child.once("close", done))
  return { child, output: () => output, ended }
}

/** A folder whose parents every account may enter: as root, the database runs as another one. */
export const dataFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-corridor-"))
  chmodSync(folder, 0o755)
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, "data")
}

export class Appliance {
  readonly data: string
  readonly ports: { readonly netflow: number; readonly ipfix: number; readonly sflow: number }
  readonly #argv: ReadonlyArray<string>
  #knobs: Knobs
  #run: Run
  #port = 0

  constructor(data: string, ports: Appliance["ports"], argv: ReadonlyArray<string>, knobs: Knobs) {
    this.data = data
    this.ports = ports
    this.#argv = argv
    this.#knobs = {
      DATA: data,
      API_PORT: 0,
      API_HOST: "127.0.0.1",
      INGESTION_NETFLOW_PORT: ports.netflow,
      INGESTION_IPFIX_PORT: ports.ipfix,
      INGESTION_SFLOW_PORT: ports.sflow,
      // what was sent shall show within a second or two
      AGGREGATION_FLUSH_INTERVAL_SECONDS: 1,
      ...knobs
    }
    this.#run = launch(argv, this.#knobs)
  }

  /** Milliseconds until HTTPS answered; and then waits for the sockets, of which each is open or cannot be. */
  async up(): Promise<number> {
    const since = Date.now()
    let over = false
    void this.#run.ended.then(() => (over = true))
    const port = await until("the appliance runs", async () => (over ? "0" : /https:\/\/[^:\s]+:(\d+)\//.exec(this.output())?.[1]))
    if (port === "0") throw new Error(`the appliance did not start:\n${this.output()}`)
    this.#port = Number(port)
    await until("HTTPS answers", async () => (await this.ask("/health")).status < 600)
    const answeredMs = Date.now() - since
    await until("the sockets are open", async () => {
      const states = (await this.health()).actors.flatMap((one: { path: string; state: string }) =>
        one.path.includes("/udp:") ? [one.state] : []
      )
      return states.length > 0 && !states.includes("starting")
    })
    return answeredMs
  }

  /** Everything this run wrote. */
  output(): string {
    return this.#run.output()
  }
  get port(): number {
    return this.#port
  }
  get pid(): number {
    return this.#run.child.pid!
  }
  get knobs(): Knobs {
    return this.#knobs
  }

  signal(name: NodeJS.Signals): void {
    this.#run.child.kill(name)
  }
  /** The exit code; null after a signal. */
  ended(): Promise<number | null> {
    return this.#run.ended
  }
  async stop(): Promise<number | null> {
    this.signal("SIGTERM")
    return this.ended()
  }
  /** Starts again on the same folder and ports. */
  async again(knobs: Knobs = {}): Promise<number> {
    this.#knobs = { ...this.#knobs, ...knobs }
    this.#run = launch(this.#argv, this.#knobs)
    return this.up()
  }

  ask(path: string, { method, body, headers = {} }: Asked = {}): Promise<Answer> {
    return new Promise((done, failed) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const asking = request(
        {
          host: "127.0.0.1",
          port: this.#port,
          path,
          method: method ?? (text === undefined ? "GET" : "POST"),
          agent: false,
          timeout: patienceSeconds * 1000,
          rejectUnauthorized: false,
          headers: { ...(text === undefined ? {} : { "content-type": "application/json" }), ...headers }
        },
        (response) => {
          let answer = ""
          response.setEncoding("utf8")
          response.on("data", (part) => (answer += part))
          response.on("end", () => {
            let json: unknown
            try {
              json = JSON.parse(answer)
            } catch {
              json = undefined
            }
            done({ status: response.statusCode ?? 0, headers: response.headers, text: answer, json })
          })
        }
      )
      asking.on("timeout", () => asking.destroy(new Error(`no answer from ${path} within ${patienceSeconds} s`)))
      asking.on("error", failed)
      asking.end(text)
    })
  }

  /** `/api/v1/…` with the secret that `flowlens status` uses: it may look, and needs no database. */
  async api(path: string): Promise<Answer> {
    const secret = readFileSync(join(this.data, "local-token"), "utf8")
    return this.ask(`/api/v1${path}`, { headers: { authorization: `Bearer ${secret}` } })
  }
  /** A body that is no text. */
  bytes(path: string, secret: string): Promise<{ readonly status: number; readonly type: string; readonly body: Uint8Array }> {
    return new Promise((done, failed) => {
      const headers = { authorization: `Bearer ${secret}` }
      const asking = request({ host: "127.0.0.1", port: this.#port, path, agent: false, rejectUnauthorized: false, headers })
      asking.on("response", (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("end", () =>
          done({
            status: response.statusCode ?? 0,
            type: response.headers["content-type"] ?? "",
            body: new Uint8Array(Buffer.concat(parts))
          })
        )
      })
      asking.on("error", failed)
      asking.end()
    })
  }
  // biome-ignore lint/suspicious/noExplicitAny: as the wire has it
  async health(): Promise<any> {
    const { status, json, text } = await this.api("/health")
    if (status !== 200) throw new Error(`health answers ${status}: ${text}`)
    return json
  }
  async warning(code: string): Promise<{ readonly detail: string; readonly subject: string | null } | undefined> {
    return (await this.health()).warnings.find((one: { readonly code: string }) => one.code === code)
  }

  /** A token as `flowlens token create` makes one. */
  async token(role: string): Promise<string> {
    const { code, output } = await flowlens(["token", "create", "--role", role, "--json"], this.#knobs)
    if (code !== 0) throw new Error(`no token: ${output}`)
    return (JSON.parse(output) as { readonly secret: string }).secret
  }

  /** Rows, beside the appliance. */
  rows<A extends object>(text: string): Promise<ReadonlyArray<A>> {
    return Effect.gen({ self: this }, function* () {
      const url = yield* attach(this.data)
      if (url === undefined) return yield* Effect.fail(new Error("the database does not run"))
      const sql = yield* PgClient.makeClient({ url })
      return yield* sql.unsafe<A>(text)
    }).pipe(Effect.scoped, Effect.provide(Reactivity.layer), Effect.timeout(patienceSeconds * 1000), Effect.runPromise)
  }
  /** Sums over all windows. */
  async written(): Promise<{ readonly records: number; readonly bytes: number; readonly packets: number }> {
    const [row] = await this.rows<{ records: string; bytes: string; packets: string }>(
      "SELECT coalesce(sum(records), 0)::text records, coalesce(sum(bytes), 0)::text bytes, coalesce(sum(packets), 0)::text packets FROM windows"
    )
    return { records: Number(row!.records), bytes: Number(row!.bytes), packets: Number(row!.packets) }
  }

  /** Everything that was sent is out of the sockets' buffers: the workers have it, and a clean stop writes it. */
  async drained(): Promise<void> {
    await until("the sockets' buffers are empty", async () => Object.values(this.ports).every((port) => unreadOctets(port) === 0))
  }

  /** The process id of the embedded database's first process. */
  postmaster(): number {
    const file = readPidFile(join(this.data, "postgres"))
    if (file === undefined) throw new Error("the database does not run")
    return file.pid
  }
  databaseProcesses(): ReadonlyArray<number> {
    return serversIn(join(this.data, "postgres"))
  }
  /** To all of them; one may end meanwhile. */
  signalDatabase(name: NodeJS.Signals): void {
    for (const pid of this.databaseProcesses()) {
      try {
        process.kill(pid, name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
      }
    }
  }
}

/** Starts one on free ports and a folder of its own; whatever the test does, it is gone afterwards. */
export const startAppliance = async (
  knobs: Knobs = {},
  argv: ReadonlyArray<string> = [],
  folder = dataFolder()
): Promise<Appliance> => {
  const [netflow, ipfix, sflow] = [await freeUdpPort(), await freeUdpPort(), await freeUdpPort()]
  const appliance = new Appliance(folder, { netflow, ipfix, sflow }, argv, knobs)
  onTestFinished(async () => {
    appliance.signal("SIGKILL")
    await appliance.ended()
    for (let i = 0; i < 100 && appliance.databaseProcesses().length > 0; i++) await sleep(100)
    appliance.signalDatabase("SIGKILL")
  })
  await appliance.up()
  return appliance
}
